(module
  (func $count (param i32) (result i32)
    block ;; label = @1
      loop ;; label = @2
        local.get 0
        i32.eqz
        br_if 1 (;@1;)
        local.get 0
        i32.const 1
        i32.sub
        local.set 0
        br 0 (;@2;)
      end
    end
    local.get 0
    if (result i32) ;; label = @1
      i32.const 1
    else
      i32.const 2
    end
    block (param i32) (result i32 i32) ;; label = @1
      i32.const 3
    end
    i32.add
  )
  (func $switch (param i32) (result i32)
    block ;; label = @1
      block ;; label = @2
        local.get 0
        br_table 0 (;@2;) 1 (;@1;) 1 (;@1;)
      end
      local.get 0
      return_call $count
    end
    i32.const 0
  )
)
