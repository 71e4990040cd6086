package main

import (
	"fmt"
	"math"
)

func element(i, j int64) float64 {
	s := i + j
	return 1.0 / float64(s*(s+1)/2+i+1)
}

func times(source, target []float64, n int64) {
	for i := int64(0); i < n; i++ {
		sum := 0.0
		for j := int64(0); j < n; j++ {
			sum += element(i, j) * source[j]
		}
		target[i] = sum
	}
}

func timesTransposed(source, target []float64, n int64) {
	for i := int64(0); i < n; i++ {
		sum := 0.0
		for j := int64(0); j < n; j++ {
			sum += element(j, i) * source[j]
		}
		target[i] = sum
	}
}

func main() {
	var n int64
	fmt.Scan(&n)
	var u, v, w []float64
	for i := int64(0); i < n; i++ {
		u = append(u, 1)
		v = append(v, 0)
		w = append(w, 0)
	}
	for i := 0; i < 10; i++ {
		times(u, w, n)
		timesTransposed(w, v, n)
		times(v, w, n)
		timesTransposed(w, u, n)
	}
	uv, vv := 0.0, 0.0
	for i := int64(0); i < n; i++ {
		uv += u[i] * v[i]
		vv += v[i] * v[i]
	}
	result := int64(math.Sqrt(uv/vv) * 1e9)
	fmt.Println(result)
}
