package main

import "fmt"

func flips(perm []int64) int64 {
	count, head := int64(0), perm[0]
	for head != 1 {
		for low, high := int64(0), head-1; low < high; low, high = low+1, high-1 {
			perm[low], perm[high] = perm[high], perm[low]
		}
		head = perm[0]
		count++
	}
	return count
}

func main() {
	var n int64
	fmt.Scan(&n)
	perm := make([]int64, 7)
	var result int64
	for k := int64(0); k < n; k++ {
		for i := int64(0); i < 7; i++ {
			perm[i] = (i+k)%7 + 1
		}
		result += flips(perm)
	}
	fmt.Println(result)
}
