package main

import "fmt"

type left struct{ id, val int64 }
type right struct{ id, info int64 }

func main() {
	var n int64
	fmt.Scan(&n)
	var ls []left
	var rs []right
	for i := int64(0); i < n; i++ {
		ls = append(ls, left{i, i})
		rs = append(rs, right{i, i * 2})
	}
	var result int64
	for round := int64(0); round < 1000; round++ {
		index := map[int64]int{}
		for i, r := range rs {
			index[r.id] = i
		}
		var rows []int64
		for _, l := range ls {
			if i, ok := index[l.id]; ok {
				rows = append(rows, l.val+rs[i].info)
			}
		}
		result += int64(len(rows)) + rows[round%n]
	}
	fmt.Println(result)
}
