;; Prints the first 20 Fibonacci numbers, one a line. Made into fibonacci.wasm by
;;   wat2wasm fibonacci.wat     (or `wasm-tools parse fibonacci.wat -o fibonacci.wasm`)
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)

  ;; 0: the address and the length of what is written; 8: how much was; 16 to 64: digits.
  (func $print (param $n i64)
    (local $at i32)
    (local.set $at (i32.const 63))
    (i32.store8 (local.get $at) (i32.const 10))
    (loop $digits
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $n) (i64.const 10)))))
      (local.set $n (i64.div_u (local.get $n) (i64.const 10)))
      (br_if $digits (i64.ne (local.get $n) (i64.const 0))))
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (i32.sub (i32.const 64) (local.get $at)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))

  (func (export "_start")
    (local $a i64) (local $b i64) (local $next i64) (local $left i32)
    (local.set $b (i64.const 1))
    (local.set $left (i32.const 20))
    (loop $numbers
      (call $print (local.get $a))
      (local.set $next (i64.add (local.get $a) (local.get $b)))
      (local.set $a (local.get $b))
      (local.set $b (local.get $next))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $numbers (local.get $left)))))
