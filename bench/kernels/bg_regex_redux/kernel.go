package main

import "fmt"

func main() {
	var n int64
	fmt.Scan(&n)
	seed, window, result := int64(42), int64(0), int64(0)
	for i := int64(0); i < n; i++ {
		seed = (seed*3877 + 29573) % 139968
		code := seed * 4 / 139968
		window = window*4%256 + code
		if i >= 3 && (window == 47 || window == 248) {
			result++
		}
	}
	fmt.Println(result)
}
