package main

import "fmt"

func product(n int64) int64 {
	result := int64(1)
	for i := int64(1); i < n; i++ {
		result *= i
	}
	return result
}

func main() {
	var n int64
	fmt.Scan(&n)
	var result int64
	for i := int64(0); i < n; i++ {
		result = (result + product(13+i%8)) % 1000003
	}
	fmt.Println(result)
}
