package main

import "fmt"

func fillSum(n int64) int64 {
	m := map[int64]int64{}
	for i := int64(0); i < n; i++ {
		m[i] = i
	}
	var sum int64
	for j := int64(0); j < n; j++ {
		sum += m[j]
	}
	return sum
}

func main() {
	var n int64
	fmt.Scan(&n)
	var result int64
	for i := int64(0); i < n; i++ {
		result = (result + fillSum(1000+i%8)) % 1000003
	}
	fmt.Println(result)
}
