package main

import "fmt"

func fib(n int64) int64 {
	if n <= 1 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func main() {
	var n int64
	fmt.Scan(&n)
	result := fib(n)
	fmt.Println(result)
}
