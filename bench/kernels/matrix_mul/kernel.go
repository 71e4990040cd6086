package main

import "fmt"

func product(a, b [][]int64) [][]int64 {
	var result [][]int64
	for i := range a {
		var row []int64
		for j := range b[0] {
			var sum int64
			for k := range b {
				sum += a[i][k] * b[k][j]
			}
			row = append(row, sum)
		}
		result = append(result, row)
	}
	return result
}

func main() {
	var n int64
	fmt.Scan(&n)
	var a, b [][]int64
	for i := int64(0); i < n; i++ {
		var sums, products []int64
		for j := int64(0); j < n; j++ {
			sums = append(sums, i+j)
			products = append(products, i*j%100)
		}
		a = append(a, sums)
		b = append(b, products)
	}
	var result int64
	for i := int64(0); i < 4; i++ {
		result += product(a, b)[n/2][n/3+i]
	}
	fmt.Println(result)
}
