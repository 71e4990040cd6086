package main

import "fmt"

func complement(c int64) int64 {
	switch c {
	case 65:
		return 84
	case 84:
		return 65
	case 67:
		return 71
	case 71:
		return 67
	}
	return c
}

func main() {
	var n int64
	fmt.Scan(&n)
	bases := []int64{65, 67, 71, 84}
	var result int64
	for round := int64(0); round < 4; round++ {
		var source, target []int64
		for i := int64(0); i < n; i++ {
			source = append(source, 0)
			target = append(target, 0)
		}
		for i := int64(0); i < n; i++ {
			source[i] = bases[(i+round)%4]
		}
		for i := int64(0); i < n; i++ {
			target[n-1-i] = complement(source[i])
		}
		for i := int64(0); i < n; i++ {
			result += target[i]
		}
	}
	fmt.Println(result)
}
