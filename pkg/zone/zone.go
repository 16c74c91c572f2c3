// Package zone is the contract between the orchestrator and the DNS: how an
// RRset is read, changed by compare-and-swap, and watched on every address of
// every authoritative server. It holds no implementation; adapters live in
// internal/dns, and every Writer passes zonetest.
package zone
