package service

import (
	"context"
	"net"
	"sync"

	"example.org/ims/internal/mail/smtpd"
	"example.org/ims/pkg/gateway"
)

// front is a gateway's Internet listener. It is open while mail is accepted,
// and while it is refused unless by a closed port. adjust and close are called
// by whoever holds the gateway's Apply token; the others at any time.
type front struct {
	g    *Gateway
	rt   *runtime
	size int64
	etrn bool
	done chan struct{} // closed when Serve returned

	mu  sync.Mutex
	srv *smtpd.Server // nil while closed
	ln  net.Listener
}

// now is the server and the listener, nil while closed.
func (f *front) now() (*smtpd.Server, net.Listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.srv, f.ln
}

func (f *front) set(srv *smtpd.Server, ln net.Listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.srv, f.ln = srv, ln
}

// listens reports whether the port is open under some settings.
func (f *front) listens(s gateway.Settings) bool {
	return f.g.record().File.Listen != "" && (accepts(s.Mode) || s.Refuse != gateway.RefuseClosed)
}

// adjust opens or closes the listener as the settings want it. What EHLO
// announces, a size limit and whether mail is sent on demand, takes a new server.
func (f *front) adjust(ctx context.Context, s gateway.Settings) error {
	srv, _ := f.now()
	if srv != nil {
		srv.Limit(s.MaxInbound)
	}
	want := f.listens(s)
	if want == (srv != nil) && (!want || f.size == s.MaxSize && f.etrn == (len(s.ETRN) > 0)) {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, f.g.o.cfg.StopGrace)
	defer cancel()
	f.close(bounded)
	if !want {
		return nil
	}
	file := f.g.record().File
	ln, err := f.g.o.deps.Listen(ctx, file.Listen)
	if err != nil {
		return err
	}
	srv = smtpd.New(smtpd.Config{
		Hostname: file.Hostname, Handler: &reception{g: f.g, rt: f.rt}, MaxConns: s.MaxInbound,
		Limits: smtpd.Limits{Size: s.MaxSize}, ETRN: len(s.ETRN) > 0, Log: f.g.o.log.With("gateway", f.g.name),
	})
	done := make(chan struct{})
	f.size, f.etrn, f.done = s.MaxSize, len(s.ETRN) > 0, done
	f.set(srv, ln)
	go func() { // close waits for it
		defer close(done)
		if err := srv.Serve(ctx, ln); err != nil {
			f.g.o.log.Error("listener ended", "gateway", f.g.name, "err", err)
		}
	}()
	return nil
}

// close shuts the listener; sessions may finish their transactions until ctx
// is done.
func (f *front) close(ctx context.Context) {
	srv, ln := f.now()
	if srv == nil {
		return
	}
	_ = ln.Close() // also when Serve has not begun; Serve may have closed it
	if err := srv.Shutdown(ctx); err != nil {
		f.g.o.log.Warn("sessions cut off", "gateway", f.g.name, "err", err)
	}
	<-f.done
	f.set(nil, nil)
}

// sessions is the number of open connections.
func (f *front) sessions() int64 {
	if srv, _ := f.now(); srv != nil {
		return int64(srv.Sessions())
	}
	return 0
}

// address is where the listener listens, or what was configured.
func (f *front) address(configured string) string {
	if _, ln := f.now(); ln != nil {
		return ln.Addr().String()
	}
	return configured
}
