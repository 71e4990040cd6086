package main

import "fmt"

type tree struct{ left, right *tree }

func build(depth int64) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{build(depth - 1), build(depth - 1)}
}

func (t *tree) check() int64 {
	if t.left == nil {
		return 1
	}
	return 1 + t.left.check() + t.right.check()
}

func main() {
	var n int64
	fmt.Scan(&n)
	var result int64
	for i := 0; i < 600; i++ {
		result += build(n).check()
	}
	fmt.Println(result)
}
