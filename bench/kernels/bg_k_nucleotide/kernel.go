package main

import "fmt"

func lookup(p float64) int64 {
	if p < 0.302954942668 {
		return 0
	}
	if p < 0.5009432431601 {
		return 1
	}
	if p < 0.6984905497992 {
		return 2
	}
	return 3
}

func main() {
	var n int64
	fmt.Scan(&n)
	counts := map[int64]int64{}
	for k := int64(0); k < 20; k++ {
		counts[k] = 0
	}
	seed, previous := int64(42), int64(0)
	for i := int64(0); i < n; i++ {
		seed = (seed*3877 + 29573) % 139968
		code := lookup(float64(seed) / 139968.0)
		counts[code]++
		counts[4+previous*4+code]++
		previous = code
	}
	var result int64
	for k := int64(0); k < 20; k++ {
		result = (result*1009 + counts[k]) % 2147483647
	}
	fmt.Println(result)
}
