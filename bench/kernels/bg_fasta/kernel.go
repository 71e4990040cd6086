package main

import "fmt"

func lookup(p float64) int64 {
	if p < 0.302954942668 {
		return 97
	}
	if p < 0.5009432431601 {
		return 99
	}
	if p < 0.6984905497992 {
		return 103
	}
	return 116
}

func main() {
	var n int64
	fmt.Scan(&n)
	seed, result := int64(42), int64(0)
	for i := int64(0); i < n; i++ {
		seed = (seed*3877 + 29573) % 139968
		result = (result*1009 + lookup(float64(seed)/139968.0)) % 2147483647
	}
	fmt.Println(result)
}
