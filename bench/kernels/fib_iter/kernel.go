package main

import "fmt"

func fib(n int64) int64 {
	a, b := int64(0), int64(1)
	for i := int64(0); i < n; i++ {
		a, b = b, a+b
	}
	return a
}

func main() {
	var n int64
	fmt.Scan(&n)
	var result int64
	for i := int64(0); i < n; i++ {
		result = (result + fib(80+i%8)) % 1000003
	}
	fmt.Println(result)
}
