package resolve

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestCacheExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache{entries: map[question]entry{}}
		q := question{"a.", "MX"}
		c.put(q, entry{until: time.Now().Add(time.Minute)})
		time.Sleep(time.Minute - 1)
		if _, ok := c.get(q, time.Now()); !ok {
			t.Error("gone too early")
		}
		time.Sleep(time.Nanosecond)
		if _, ok := c.get(q, time.Now()); ok {
			t.Error("kept too long")
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	c := cache{entries: map[question]entry{}}
	for i := range maxEntries + 50 {
		c.put(question{strconv.Itoa(i), "MX"}, entry{until: time.Now().Add(time.Hour)})
	}
	if len(c.entries) != maxEntries {
		t.Errorf("%d entries", len(c.entries))
	}
}
