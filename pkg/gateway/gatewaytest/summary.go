package gatewaytest

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"example.org/ims/pkg/gateway"
)

func testSummary(t *testing.T, r *room) {
	s := ability[gateway.Summarizer](t, r)
	r.stranded(t, 3)
	sum, err := s.Summarize(t.Context(), gateway.SummaryQuery{})
	if err != nil {
		t.Fatalf("Summarize = %v", err)
	}
	if sum.Total.Messages != 3 || sum.Found != len(sum.Rows) || len(sum.Rows) == 0 {
		t.Fatalf("Summarize = %d messages in %d of %d rows, want 3", sum.Total.Messages, len(sum.Rows), sum.Found)
	}
	row := sum.Rows[0]
	if row.Store != gateway.MTSOut || row.Messages != 3 || row.Recipients != 3 || row.Oldest.IsZero() || row.Ages[0] != 3 {
		t.Errorf("row %+v, want three new messages in mts-out", row)
	}
	if !row.Next.IsZero() || !row.Expires.IsZero() {
		t.Errorf("row %+v: nothing in mts-out is tried or times out", row)
	}
	none, err := s.Summarize(t.Context(), gateway.SummaryQuery{Match: "nobody.invalid"})
	if err != nil || none.Found != 0 || none.Total.Messages != 0 {
		t.Errorf("Summarize(no such destination) = %+v, %v", none, err)
	}
	past, err := s.Summarize(t.Context(), gateway.SummaryQuery{Offset: 100, Limit: 10})
	if err != nil || len(past.Rows) != 0 || past.Total.Messages != 3 {
		t.Errorf("Summarize(window past the end) = %+v, %v", past, err)
	}
	for _, bad := range []gateway.SummaryQuery{{Limit: gateway.MaxSummaryRows + 1}, {Offset: -1}, {Sort: "beauty"}} {
		if _, err := s.Summarize(t.Context(), bad); !errors.Is(err, gateway.ErrRefused) {
			t.Errorf("Summarize(%+v) = %v, want ErrRefused", bad, err)
		}
	}
}

func testInspect(t *testing.T, r *room) {
	s := ability[gateway.Summarizer](t, r)
	q := ability[gateway.Queues](t, r)
	r.stranded(t, 1)
	items, err := q.List(t.Context(), gateway.Selection{Store: &mtsOut})
	if err != nil || len(items) != 1 {
		t.Fatalf("List = %v, %v", items, err)
	}
	l, err := s.Inspect(t.Context(), items[0].Entry)
	if err != nil || l.Item.Message != items[0].Message || len(l.Events) == 0 {
		t.Fatalf("Inspect = %+v, %v, want its envelope and its events", l, err)
	}
	for _, e := range l.Events {
		if e.Message != items[0].Message {
			t.Errorf("Inspect has an event of %s", e.Message)
		}
	}
	if _, err := s.Inspect(t.Context(), "no-such-entry"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("Inspect(no such entry) = %v, want ErrNotFound", err)
	}
}

func testBody(t *testing.T, r *room) {
	b := ability[gateway.Bodies](t, r)
	q := ability[gateway.Queues](t, r)
	r.stranded(t, 1)
	items, err := q.List(t.Context(), gateway.Selection{Store: &mtsOut})
	if err != nil || len(items) != 1 {
		t.Fatalf("List = %v, %v", items, err)
	}
	read := func() []byte {
		t.Helper()
		body, err := b.Body(t.Context(), items[0].Entry)
		if err != nil {
			t.Fatalf("Body = %v", err)
		}
		text, err := io.ReadAll(body)
		if err := errors.Join(err, body.Close()); err != nil {
			t.Fatalf("read the body: %v", err)
		}
		return text
	}
	first := read()
	if !bytes.Contains(first, []byte("\r\n\r\n")) {
		t.Errorf("body is %q, want a header and what follows", first)
	}
	if again := read(); !bytes.Equal(first, again) {
		t.Errorf("body is %q, and then %q", first, again)
	}
	r.stored(t, gateway.MTSOut, 1)
	if _, err := b.Body(t.Context(), "no-such-entry"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("Body(no such entry) = %v, want ErrNotFound", err)
	}
}
