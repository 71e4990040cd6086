"""Pieces of programs with loops that the optimizer transforms, and helpers of any types.

In a scene, `$name` is a name of its own, `<<one|other>>` one of some texts, and places such as
`@{int}` are as in `expressions`.
"""

from __future__ import annotations

# Generic, and without types: what they are called with decides.
TYPES = """
type W { x: int, y: int, b: bool }
type V = Leaf | Node(left: V, value: int, right: V)
""".strip().split("\n")
HELPERS = """
fun same(x) { return x }
fun either(first: bool, a: any, b: any): any { if first { return same(a) } return b }
fun turned<E>(xs: list<E>, n: int): list<E> {
  if len(xs) < 2 || n % 3 == 0 { return xs }
  return turned(append(xs[1:], same(xs[0])), n / 3)
}
fun mapped<A, B>(xs: list<A>, f: fun(A): B): list<B> {
  var made: list<B> = []
  for x in xs { made = append(made, f(x)) }
  return made
}
fun kept<E>(xs: list<E>, fits: fun(E): bool): list<E> {
  var made: list<E> = []
  var i = 0
  while i < len(xs) {
    if fits(xs[i]) { made = append(made, xs[i]) }
    i = i + 1
  }
  return made
}
fun folded(xs, f, start) {
  var sum = start
  for x in xs { sum = f(sum, x) }
  return sum
}
fun swapped(xs, i: int, j: int) {
  if len(xs) == 0 { return xs }
  let held = xs[i % len(xs)]
  xs[i % len(xs)] = xs[j % len(xs)]
  xs[j % len(xs)] = held
  return xs
}
fun found(m, k, other) { return m[k] ?? other }
fun put(m, k, v) { m[k] = v }
fun pushed(xs, x, n: int) {
  if n <= 0 { return xs }
  xs = append(xs, x)
  return pushed(xs, x, n - 1)
}
fun twice(f, x) { return f(f(x)) }
fun adder(n: int): fun(int): int { return fun(x: int): int => x + n }
fun at(xs, i: int) { if i >= 0 && i < len(xs) { return xs[i] } return nil }
fun raised(s: S, n: int): S { s.n = s.n + n % 1000 return s }
""".strip().split("\n")

SCENES = tuple(text.strip("\n") for text in (
    # Structs of scalars that never leave.
    """
var $p = T { f: @{float}, b: @{bool}, inner: S { n: @{int}, s: @{string!}, xs: [] } }
for $i in 0..@{3|7|20} {
  $p = T { f: $p.f + 0.5, b: !$p.b, inner: $p.inner }
  if $p.b { $p.inner.n = $p.inner.n + $i } else { $p.f = $p.f * 2.0 }
}
print($p.f, $p.b, $p.inner.n)""",
    """
var $a = W { x: @{int!}, y: @{int!}, b: @{bool} }
var $b = $a
for $i in 0..@{2|5|9} {
  let $c = W { x: $a.y % 1000, y: ($a.x + $i) % 1000, b: $a.x > $a.y }
  if @{bool} { $b = $a }
  $a = $c
  $b.x = $b.x + 1
}
print($a, $b, $a == $b)""",
    """
fun $step(w: W, n: int): W {
  if n <= 0 { return w }
  return $step(W { x: w.y, y: (w.x + w.y) % 9973, b: !w.b }, n - 1)
}
print($step(W { x: @{int!}, y: 1, b: false }, @{0|1|10|31}))""",
    # Small lists.
    """
var $t = [@{int!}, @{int!}, @{int!}]
for $i in 0..@{1|4|11} {
  let $u = [$t[1], $t[2], ($t[0] + $t[1] + $i) % 1009]
  @{$t = $u|$t[$i % 3] = $u[2]|let $o = $u[0]  $t = [$o, $u[1], $u[2]]}
}
print($t, $t[-1], len($t))""",
    """
fun $pair(a, b) { return [b, a] }
var $x = @{int}
var $y = @{int}
for $i in 0..@{1|2|6} {
  let $q = $pair($x, $y)
  $x = $q[0]
  $y = ($q[1] + $i) % 77
}
print($x, $y, $pair("a", @{string}), $pair(@{list<int>}, @{list<int>}))""",
    # Characters, as bytes and not.
    """
let $s = @{string} + @{"abcXYZ019"|"é"|"  "|""}
var $n = 0
var $o = ""
var $i = 0
while $i < len($s) {
  let $c = $s[$i]
  if $c >= "a" && $c <= "z" { $n = $n * 3 + 1 } else { if $c == "é" || $c == " " { $n = $n + 7 } }
  if $c in "b0z" { $o = $o + upper($c) }
  if $c != $s[-1] { $o = $o + $c + "." }
  $i = $i + 1
}
print($n, $o, len($o))""",
    """
let $s = @{string} + "a1,b22;" + @{string!}
var $parts: list<string> = []
var $word = ""
for $c in $s {
  if $c == "," || $c == ";" {
    $parts = append($parts, $word)
    $word = ""
    @{continue|let $z = 0}
  }
  $word = $word + $c
}
print($parts, $word, $s[1:] < $s, $s[-2:])""",
    """
var $counts: map<string, int> = {}
for $c in @{string} + "abca" {
  $counts[$c] = ($counts[$c] ?? 0) + 1
  <<if $c == "b" && $counts["a"] == 1 { break }|if len($counts) > 2 { continue }>>
}
print($counts, keys($counts))""",
    # The sign of indexes, and ends of loops.
    """
let $xs: list<int> = @{list<int>}
var $i = @{0|-1|-2|1|len($xs) - 1|-len($xs)}
var $s = 0
while $i < len($xs) {
  $s = $s + $xs[$i] % 1000
  $i = $i + @{1|2|3}
}
print($s, $i)""",
    """
let $xs: list<int> = @{list<int>}
var $i = len($xs) - 1
while $i >= 0 && $xs[$i] != @{int!} {
  if $xs[$i] % 2 == 0 { @{print($i)|$i = $i - 1} }
  $i = $i - 1
}
print($i)""",
    """
var $found = -1
for $i in 0..@{3|10|30} {
  if $i % @{2|3} == 1 { continue }
  for $j in $i..@{5|12} {
    if $i * $j == @{6|12|20|7} { $found = $i * 100 + $j  break }
    if $j > @{3|8} { break }
  }
  if $found > 0 { @{break|$found = $found - 1} }
}
print($found)""",
    # Swaps, sorting.
    """
var $xs: list<@{int|float|string}> = []
$xs = @{[]|$xs}
let $ys: list<int> = @{list<int>}
var $n = len($ys)
while $n > 1 {
  var $j = 0
  while $j + 1 < $n {
    if $ys[$j] > $ys[$j + 1] {
      let $h = $ys[$j]
      $ys[$j] = $ys[$j + 1]
      $ys[$j + 1] = $h
    }
    $j = $j + 1
  }
  $n = $n - 1
}
print($ys, $xs)""",
    """
let $ys: list<string> = @{list<string>}
for $i in 1..len($ys) {
  let $held = $ys[$i]
  var $j = $i - 1
  while $j >= 0 && $ys[$j] > $held {
    $ys[$j + 1] = $ys[$j]
    $j = $j - 1
  }
  $ys[$j + 1] = $held
}
print($ys)""",
    """
var $a: list<int> = @{list<int>}
var $b: list<int> = @{list<int>}
for $i in 0..@{1|2|5} {
  let $h = $a
  $a = $b
  $b = @{append($h, $i)|$h[1:]|$h + $a[0:2]}
}
print($a, $b)""",
    # Nested functions, and recursion with accumulators.
    """
fun $out(n: int): list<int> {
  var $made: list<int> = []
  var $calls = 0
  fun $walk(k: int, sum: int): int {
    $calls = $calls + 1
    if k <= 0 { return sum }
    $made = append($made, sum % 100)
    return $walk(k - 1, (sum * 3 + k) % 10007)
  }
  let $last = $walk(n, @{int!})
  return append($made, $last + $calls)
}
print($out(@{0|1|5|12}))""",
    """
fun $perms(xs: list<int>, done: list<int>): int {
  if len(xs) == 0 { return 1 }
  var $sum = 0
  for $i in 0..len(xs) {
    $sum = $sum * 2 + $perms(xs[0:$i] + xs[$i + 1:], append(done, xs[$i])) + len(done)
  }
  return $sum % 100003
}
print($perms(@{list<int>}[0:4], []))""",
    """
fun $even(n: int): bool { if n == 0 { return true } return $odd(n - 1) }
fun $odd(n: int): bool { if n == 0 { return false } return $even(n - 1) }
print($even(@{0|7|40}), mapped([1, 2, 3], fun(x: int): bool => $odd(x)))""",
    """
var $fs: list<fun(int): int> = []
var $k = @{int!}
for $i in 0..3 { $fs = append($fs, fun(x: int): int => x * $i + $k) }
$k = $k + 1
for $f in $fs { print($f(@{int!}), twice($f, 2)) }""",
    # Slices in loops, and lists that grow by parameters.
    """
var $xs: list<int> = @{list<int>}
var $sum = 0
while len($xs) > 0 {
  $sum = ($sum * 7 + $xs[0]) % 1000003
  $xs = $xs[@{1|2|3}:]
}
print($sum, $xs)""",
    """
let $xs: list<int> = range(0, @{5|16|40})
var $all: list<list<int>> = []
for $i in 0..@{3|6} {
  let $cut = $xs[$i * @{1|2}:$i * 2 + @{1|3}]
  <<if len($cut) > 0 { $cut[0] = 99 }|$all = append($all, $cut)|$all = $all + [$cut]>>
}
print($all, $xs[0:4])""",
    """
fun $fill(xs: list<@{int|string|float}>, n: int) {
  var $ys = xs
  for $i in 0..n { $ys = append($ys, $ys[0]) }
  return len($ys) * 100 + len(xs)
}
fun $grow(xs: list<int>, n: int): list<int> {
  for $i in 0..n { xs = append(xs, $i * n) }
  return xs
}
let $base = @{list<int>}
let $one = $grow($base, @{0|1|9})
let $two = $grow($base, @{0|2|20})
print($base, $one, $two)""",
    # Maps of lists, and of other things.
    """
var $m: map<string, list<int>> = {}
for $q in @{list<int>} {
  let $k = str($q % 3)
  if $k in $m { $m[$k] = append($m[$k], $q) } else { $m[$k] = [$q] }
}
for $k in $m { print($k, len($m[$k]), sum($m[$k]), @{$m[$k][0]|reverse($m[$k])}) }""",
    """
var $m: map<int, list<string>> = {}
for $i in 0..@{4|9} { $m[$i % 4] = append($m[$i % 4], @{string!}) }
var $n = 0
for $k in $m { $n = $n * 10 + $k + len($m[$k]) }
print($n, $m)""",
    """
var $m: map<int, int> = {1: @{int!}, 2: 5}
put($m, @{1|2|7}, @{int!})
put($m, "2", 11)
var $s = 0
for $k in $m { $s = $s + $k }
print($s, found($m, @{1|3}, 0), found($m, "1", -1), $m)
var $t: map<string, string> = {"a": @{string!}}
put($t, "b", "c")
print($t, found($t, "b", "none"), found($t, @{string!}, "none"))""",
    """
var $m: map<string, S> = {}
for $i in 0..@{2|5} {
  let $k = str($i % 2)
  if $k in $m { $m[$k].n = $m[$k].n + $i } else { $m[$k] = S { n: $i, s: $k, xs: [] } }
  $m[$k].xs = append($m[$k].xs, $i)
}
print($m)""",
    # Unions.
    """
fun $size(u: U): int {
  return match u { Dot => 0 One(p) => p % 10 Two(p, q) => len(q) * 100 + p % 10 }
}
var $us: list<U> = [@{U}, @{U}, Dot]
var $sum = 0
for $u in $us {
  $sum = $sum + $size($u)
  if $u == Dot { $sum = $sum * 2 }
}
print($sum, mapped($us, $size), kept($us, fun(u: U): bool => $size(u) > 3))""",
    """
fun $insert(t: V, x: int): V {
  return match t {
    Leaf => Node(Leaf, x, Leaf)
    Node(l, v, r) => if x < v { Node($insert(l, x), v, r) } else { Node(l, v, $insert(r, x)) }
  }
}
fun $sum(t: V, depth: int): int {
  return match t {
    Leaf => 0
    Node(l, v, r) => $sum(l, depth + 1) + v % 100 * depth + $sum(r, depth + 1)
  }
}
var $tree: V = Leaf
for $q in @{list<int>}[0:9] { $tree = $insert($tree, $q) }
print($sum($tree, 1))""",
    # Queries over computed lists.
    """
let $ps: list<S> = @{list<S>}
print(from s in $ps where s.n > @{0|3} sort by s.s select s.s + str(len(s.xs)))
print(from s in $ps group by s.n % 2 into g sort by g.key select [g.key, count(g)])
print(from s in $ps from x in s.xs where x > s.n select x - s.n % 100)
print(from s in $ps group by s.s into g select sum(from w in g select w.n % 100))""",
    """
let $xs: list<int> = mapped(@{list<int>}, fun(x: int): int => x % 50)
print(from a in $xs from b in $xs where a < b && (a + b) % 3 == 0 sort by -a select a * b)
print(from a in $xs group by a / 10 into g having count(g) > 1 select g.key + min(g))
print(from a in turned($xs, @{1|2|3}) sort by a skip @{0|1} take @{1|3} select a % 4)
print(sum(from a in $xs where a in [1, 2, 3, 10] select a), len(from a in $xs select [a]))""",
    """
let $xs: list<int> = @{list<int>}
let $ys: list<int> = turned(@{list<int>}, @{1|2})
let $ss: list<S> = @{list<S>}
print(from a in $xs join b in $ys on a % 3 == b % 3 select [a % 10, b % 10])
let $ts = mapped($xs, fun(x: int): string => str(x % 5))
print(from a in $ts join b in ["1", "2", "1"] on a == b select a)
print(from s in $ss join x in $ys on s.n % 4 == x % 4 where x > 0 sort by x select s.s + str(x))
print(from a in $xs join b in $ys on a == b && a > 1 where b < 200 select distinct a)""",
    # Optionals, and functions of any types.
    """
let $none = at(@{list<int>}, @{0|3|9})
let $text = at(@{list<string>}, @{0|1|7})
print($none ?? -1, $text ?? "?", at([1.5], 0), $none == nil, at(@{list<list<int>>}, 1) ?? [0])
if $none != nil { print($none + 1) }
var $last = nil
for $q in @{list<int>} { if $last == nil || $q > $last { $last = $q } }
print($last)""",
    """
print(mapped(@{list<int>}, fun(x: int): string => str(x)[0:5]))
print(mapped(@{list<string>}, fun(x: string): int => len(x)))
print(mapped(@{list<float>}, fun(x: float): list<float> => [x, x / 2.0]))
print(kept(@{list<int>}, fun(x: int): bool => x % 2 == 0))
print(kept(@{list<string>}, fun(x: string): bool => x > "a"))
print(folded(@{list<int>}, fun(a: int, b: int): int => (a * 3 + b) % 1009, @{int!}))
print(folded(@{list<string>}, fun(a: string, b: string): string => b + a, "")[0:20])""",
    """
print(swapped(@{list<int>}, @{0|1|5}, 2), swapped(@{list<string>}, 0, @{1|3}), swapped(["a"], 0, 0))
print(pushed(@{list<int>}, @{int!}, @{0|1|4}), pushed(@{list<float>}, @{float!}, 2))
print(pushed([], "x", 2), pushed(["y"], @{string!}, 1))
print(twice(adder(@{int!}), 1), twice(fun(s: string): string => s + "!", @{string!}))
let $r: S = @{S}
print(raised($r, @{int!}).n, $r.n, raised(raised($r, 1), 2) == $r)""",
    # Numbers with different limits.
    """
var $x = @{int}
var $n = 0
while $x > 0 && $n < 70 {
  $x = @{$x / 2|$x - $x / 3 - 1|$x % 1000 - 7}
  $n = $n + 1
}
var $f = @{float!} + 1.0
for $i in 0..@{3|40} { $f = @{$f * 1.5 + $i|$f / 2.0 - 1.0|$f + ($i as float) / 4.0} }
print($x, $n, $f, ($f * 0.0 + 1.25) as int)""",
))  # fmt: skip
