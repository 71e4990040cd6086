package main

import "fmt"

func sumTo(n int64) int64 {
	var total int64
	for i := int64(1); i < n; i++ {
		total += i
	}
	return total
}

func main() {
	var n int64
	fmt.Scan(&n)
	var result int64
	for i := int64(0); i < n; i++ {
		result = (result + sumTo(500+i%8)) % 1000003
	}
	fmt.Println(result)
}
