package runner

// RemovedIn is the run that removed a gateway last; ok is false if none did.
func RemovedIn(all []Summary, gateway string) (last Summary, ok bool) {
	for _, one := range all {
		if one.Gateway == gateway && one.Closed != nil && (one.Outcome == "retired" || one.Outcome == "removed-release-pending") {
			if !ok || one.Closed.After(*last.Closed) {
				last, ok = one, true
			}
		}
	}
	return last, ok
}
