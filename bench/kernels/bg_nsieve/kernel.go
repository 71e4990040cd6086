package main

import "fmt"

func nsieve(n int64) int64 {
	var composite []int64
	for i := int64(0); i <= n; i++ {
		composite = append(composite, 0)
	}
	var count int64
	for i := int64(2); i <= n; i++ {
		if composite[i] == 0 {
			count++
			for j := i * i; j <= n; j += i {
				composite[j] = 1
			}
		}
	}
	return count
}

func main() {
	var n int64
	fmt.Scan(&n)
	var result int64
	for i := int64(0); i < 50; i++ {
		result += nsieve(n + i)
	}
	fmt.Println(result)
}
