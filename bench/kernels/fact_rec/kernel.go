package main

import "fmt"

func factorial(n int64) int64 {
	if n == 0 {
		return 1
	}
	return n * factorial(n-1)
}

func main() {
	var n int64
	fmt.Scan(&n)
	var result int64
	for i := int64(0); i < n; i++ {
		result = (result + factorial(12+i%8)) % 1000003
	}
	fmt.Println(result)
}
