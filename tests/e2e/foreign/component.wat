;; A command of WASI 0.2 that prints a line, and fails if that fails. Its memory is at 0: the result
;; of a write; at 64: the line.
(component
  (import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $stream (sub resource)))
    (alias outer 1 $error (type $outer))
    (export "error" (type $error (eq $outer)))
    (type $cause (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $cause)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $stream)) (param "contents" (list u8))
        (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $stream (type $outer))
    (export "output-stream" (type $stream (eq $outer)))
    (export "get-stdout" (func (result (own $stream))))))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 64) "hello from a component\n"))
  (core instance $memory (instantiate $memory))
  (core func $get (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory "memory")))
  (core module $program
    (import "host" "get" (func $get (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "memory" (memory 1))
    (func (export "run") (result i32)
      (call $write (call $get) (i32.const 64) (i32.const 23) (i32.const 0))
      (i32.load8_u (i32.const 0))))
  (core instance $program (instantiate $program
    (with "host" (instance
      (export "get" (func $get))
      (export "write" (func $write))
      (export "memory" (memory $memory "memory"))))))
  (func $run (result (result)) (canon lift (core func $program "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.6" (instance $command)))
