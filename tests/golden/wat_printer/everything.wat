(module $everything
  (import "env" "write" (func $env.write (param i32 i32) (result i32)))
  (import "env" "limit" (global $limit i64))
  (table 2 2 funcref)
  (memory 1 16)
  (global $heap (mut i32) (i32.const 1024))
  (global $"not a number" f64 (f64.const nan:0x8000000000000))
  (export "main" (func $main))
  (export "memory" (memory 0))
  (export "table" (table 0))
  (export "heap" (global $heap))
  (start $"a name\0a\c3\a9")
  (elem (i32.const 0) func $main $list<int>.length)
  (func $main (param $x i64) (param f64) (result i64)
    (local $total i64)
    (local i32 i32 v128)
    ;; @0:1
    i32.const 0
    i32.const 0
    i32.const 5
    memory.init $passive
    data.drop $passive
    ;; @0:2
    v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
    local.set 5
    local.get $x
    global.get $limit
    i64.add
    local.tee $total
    i32.const 1
    call_indirect (param i64) (result i64)
  )
  (func $list<int>.length (param i64) (result i64)
    local.get 0
  )
  (func $"a name\0a\c3\a9"
  )
  (data $active (i32.const 8) "\22quoted\22 \5c \00\ff")
  (data $passive "hello")
  (@custom "producers" "\00")
)
