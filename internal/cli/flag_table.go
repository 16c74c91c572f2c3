package cli

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/pflag"

	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

// tableValue is a table of domains, separated by commas: "a.test=host,b.test=".
// An empty text is an empty table.
type tableValue struct{ table *map[string]string }

var _ pflag.Value = tableValue{}

func (v tableValue) String() string {
	if v.table == nil {
		return ""
	}
	return setting.Table(*v.table)
}

func (tableValue) Type() string { return "domain=host,…" }

func (v tableValue) Set(s string) error {
	table := map[string]string{}
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" && s == "" {
			break
		}
		domain, host, ok := strings.Cut(part, "=")
		if domain = strings.ToLower(strings.TrimSpace(domain)); !ok || domain == "" {
			return fmt.Errorf("want domain=host pairs separated by commas, %q is none", part)
		}
		table[domain] = strings.TrimSpace(host)
	}
	*v.table = table
	return nil
}

// networksValue is a list of addresses and networks, separated by commas. An
// empty text is an empty list.
type networksValue struct{ list *[]netip.Prefix }

var _ pflag.Value = networksValue{}

func (v networksValue) String() string {
	if v.list == nil {
		return ""
	}
	return setting.Networks(*v.list)
}

func (networksValue) Type() string { return "network,…" }

func (v networksValue) Set(s string) error {
	list := []netip.Prefix{}
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" && s == "" {
			break
		}
		n, err := gateway.ParseNetwork(part)
		if err != nil {
			return err
		}
		list = append(list, n)
	}
	*v.list = list
	return nil
}
