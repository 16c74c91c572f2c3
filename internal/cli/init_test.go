package cli

import "testing"

func TestStateDir(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"beside the configuration", "ims.yaml", "state"},
		{"where the services may write", "/etc/ims/ims.yaml", "/var/lib/ims"},
		{"of the same folder, by another way", "/etc/../etc/ims/ims.yaml", "/var/lib/ims"},
		{"of a folder that only begins so", "/etcetera/ims.yaml", "state"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := stateDir(tt.file); got != tt.want {
				t.Errorf("stateDir(%q) = %q, want %q", tt.file, got, tt.want)
			}
		})
	}
}
