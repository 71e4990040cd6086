package main

import "fmt"

func isPrime(n int64) bool {
	if n < 2 {
		return false
	}
	for i := int64(2); i < n-1; i++ {
		if n%i == 0 {
			return false
		}
	}
	return true
}

func main() {
	var n int64
	fmt.Scan(&n)
	var result int64
	for i := int64(2); i < n; i++ {
		if isPrime(i) {
			result++
		}
	}
	fmt.Println(result)
}
