"""The IR to WebAssembly: memory layout, structured control flow, instruction selection."""
