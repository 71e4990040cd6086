package main

import "fmt"

func escape(cx, cy float64, limit int64) int64 {
	zr, zi := 0.0, 0.0
	for n := int64(0); n < limit; n++ {
		r2, i2 := zr*zr, zi*zi
		if r2+i2 > 4.0 {
			return n
		}
		zi = 2.0*zr*zi + cy
		zr = r2 - i2 + cx
	}
	return limit
}

func main() {
	var n int64
	fmt.Scan(&n)
	side := float64(n)
	var result int64
	for row := int64(0); row < n; row++ {
		cy := float64(row)/side*2.0 - 1.0
		for column := int64(0); column < n; column++ {
			cx := float64(column)/side*3.0 - 2.0
			result += escape(cx, cy, 50)
		}
	}
	fmt.Println(result)
}
