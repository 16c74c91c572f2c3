// Package suggest finds the word that somebody probably meant.
package suggest

// Nearest returns the candidate with the smallest edit distance to word, if it
// is near enough to be a slip of the fingers: at most a third of the word.
func Nearest(word string, candidates []string) (string, bool) {
	best, found := "", false
	limit := max(1, len(word)/3) + 1
	for _, c := range candidates {
		if d := distance(word, c); d < limit {
			best, limit, found = c, d, true
		}
	}
	return best, found
}

// distance is the Damerau-Levenshtein distance (adjacent transpositions count
// as one) of two short words, in bytes.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		rows[0], rows[1], rows[2] = last, row, before
	}
	return rows[1][len(b)]
}
