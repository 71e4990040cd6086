package main

import "fmt"

func concat(n int64) int64 {
	text := "a"
	for i := int64(0); i < n; i++ {
		text = text + "a"
	}
	return int64(len(text))
}

func main() {
	var n int64
	fmt.Scan(&n)
	var result int64
	for i := int64(0); i < n; i++ {
		result = (result + concat(1000+i%8)) % 1000003
	}
	fmt.Println(result)
}
