// Sorts the words of standard input; what Go's runtime needs of WASI is much.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strings"
)

func main() {
	var words []string
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words = append(words, strings.Fields(lines.Text())...)
	}
	sort.Strings(words)
	fmt.Println(strings.Join(words, " "), len(os.Args))
}
