package config

import (
	"net/url"
	"strings"
	"time"

	"example.org/ims/internal/notify"
	"example.org/ims/internal/strictyaml"
)

// Notify says who is told what happens in runs.
type Notify struct {
	Digest  time.Duration // how often a soak is told of; default 1d, 0 never
	Targets []notify.Target
}

type notifyDoc struct {
	Digest  *text                     `yaml:"digest"`
	Targets strictyaml.Map[targetDoc] `yaml:"targets"`
}

type targetDoc struct {
	strictyaml.At
	Exec    []text `yaml:"exec"`
	Webhook *text  `yaml:"webhook"`
	Mail    *text  `yaml:"mail"`
	Via     *text  `yaml:"via"`
	From    *text  `yaml:"from"`
	On      []text `yaml:"on"`
	Text    *text  `yaml:"text"`
}

func (r *reader) notify(d *notifyDoc) Notify {
	out := Notify{Digest: r.duration(d.Digest, 24*time.Hour, "digest")}
	for i := range d.Targets {
		out.Targets = append(out.Targets, r.target(d.Targets[i].Key, &d.Targets[i].Value))
	}
	return out
}

func (r *reader) target(name text, d *targetDoc) notify.Target {
	out := notify.Target{Name: r.name(name, "target")}
	ways := 0
	if len(d.Exec) > 0 {
		ways++
		for _, a := range d.Exec {
			r.template(a)
			out.Exec = append(out.Exec, a.Value)
		}
	}
	if d.Webhook != nil {
		ways++
		out.Webhook = d.Webhook.Value
		if u, err := url.Parse(out.Webhook); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			r.add(d.Webhook.Pos, "url", "webhook wants an http or https URL, this is %q", out.Webhook)
		}
	}
	if d.Mail != nil {
		ways++
		out.Mail = r.mailbox(*d.Mail, "mail")
		if via, ok := r.need(d.Via, d.Pos, "notify.targets."+name.Value+".via, the host:port that takes mail for it,"); ok {
			out.Via = r.endpoint(via, "via")
		}
		if d.From != nil && d.From.Value != "" {
			out.From = r.mailbox(*d.From, "from")
		}
	}
	if ways != 1 {
		r.add(name.Pos, "target", "target %q wants exactly one of exec, webhook and mail", name.Value)
	}
	for _, t := range []*text{d.Via, d.From} {
		if t != nil && d.Mail == nil {
			r.add(t.Pos, "target", "only a target with mail has via and from")
		}
	}
	var kinds []string
	for _, k := range notify.Kinds() {
		kinds = append(kinds, string(k))
	}
	for _, k := range d.On {
		r.known(k, "kind of notification", kinds)
		out.On = append(out.On, notify.Kind(k.Value))
	}
	if d.Text != nil {
		r.template(*d.Text)
		out.Text = d.Text.Value
	}
	return out
}

// template tries a template on an example.
func (r *reader) template(t text) {
	if _, err := notify.Template(t.Value); err != nil {
		r.add(t.Pos, "template", "%s", strings.TrimPrefix(err.Error(), "template: "))
	}
}
