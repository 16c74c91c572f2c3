package config

import "example.org/ims/internal/strictyaml"

// The file as it is written. A nil *Text was left out.

type text = strictyaml.Text

type document struct {
	strictyaml.At
	APIVersion   *text                      `yaml:"apiVersion"`
	Kind         *text                      `yaml:"kind"`
	StateDir     *text                      `yaml:"state_dir"`
	Organization *organizationDoc           `yaml:"organization"`
	Gateways     strictyaml.Map[gatewayDoc] `yaml:"gateways"`
	Zones        strictyaml.Map[zoneDoc]    `yaml:"zones"`
	Resolver     resolverDoc                `yaml:"resolver"`
	Retire       retireDoc                  `yaml:"retire"`
	People       strictyaml.Map[personDoc]  `yaml:"people"`
	Notify       notifyDoc                  `yaml:"notify"`
	Waivers      []waiverDoc                `yaml:"waivers"`
}

type organizationDoc struct {
	strictyaml.At
	Domains       []text                  `yaml:"domains"`
	Recipients    []text                  `yaml:"recipients"`
	MailHost      *text                   `yaml:"mailhost"`
	LMTP          bool                    `yaml:"lmtp"`
	Sites         strictyaml.Map[siteDoc] `yaml:"sites"`
	Replication   *text                   `yaml:"replication"`
	Recalculation *text                   `yaml:"recalculation"`
	Handover      *text                   `yaml:"handover"`
	Socket        *text                   `yaml:"socket"`
	DataDir       *text                   `yaml:"data_dir"`
}

type siteDoc struct {
	Submission *text  `yaml:"submission"`
	Locations  []text `yaml:"locations"`
	Domains    []text `yaml:"domains"`
}

type gatewayDoc struct {
	strictyaml.At
	Adapter     *text                `yaml:"adapter"`
	Site        *text                `yaml:"site"`
	Location    *text                `yaml:"location"`
	Hostname    *text                `yaml:"hostname"`
	Listen      *text                `yaml:"listen"`
	Mode        *text                `yaml:"mode"`
	Refuse      *text                `yaml:"refuse"`
	Retry       *[]text              `yaml:"retry"`
	Timeouts    timeoutsDoc          `yaml:"timeouts"`
	Spaces      []spaceDoc           `yaml:"spaces"`
	Sites       []connectedDoc       `yaml:"sites"`
	ForwardHost *text                `yaml:"forward_host"`
	DomainHosts strictyaml.Map[text] `yaml:"domain_hosts"`
	MaxSize     *text                `yaml:"max_size"`
	MaxInbound  *text                `yaml:"max_inbound"`
	MaxOutbound *text                `yaml:"max_outbound"`
	Addresses   []text               `yaml:"addresses"`
	Drain       *drainDoc            `yaml:"drain"`
	Accept      []text               `yaml:"accept"`
	Reject      []text               `yaml:"reject"`
	Relay       []text               `yaml:"relay"`
	Reroute     strictyaml.Map[text] `yaml:"reroute"`
	ETRN        strictyaml.Map[text] `yaml:"etrn"`
	Apply       *text                `yaml:"apply"`
	NonePicksUp bool                 `yaml:"none_picks_up"`
	KeepNames   bool                 `yaml:"keep_names"`
	Socket      *text                `yaml:"socket"`
}

type drainDoc struct {
	strictyaml.At
	Name      *text  `yaml:"name"`
	Addresses []text `yaml:"addresses"`
}

type timeoutsDoc struct {
	Urgent    *text `yaml:"urgent"`
	Normal    *text `yaml:"normal"`
	NonUrgent *text `yaml:"non_urgent"`
	Report    *text `yaml:"report"`
}

type spaceDoc struct {
	strictyaml.At
	Type    *text `yaml:"type"`
	Pattern *text `yaml:"pattern"`
	Cost    *text `yaml:"cost"`
	Scope   *text `yaml:"scope"`
}

type connectedDoc struct {
	strictyaml.At
	Name           *text `yaml:"name"`
	Cost           *text `yaml:"cost"`
	RoutingAddress *text `yaml:"routing_address"`
}

type zoneDoc struct {
	strictyaml.At
	Writer      *text  `yaml:"writer"`
	Server      *text  `yaml:"server"`
	KeyFile     *text  `yaml:"key_file"`
	Authorities []text `yaml:"authorities"`
	Domains     []text `yaml:"domains"`
}

type resolverDoc struct {
	Servers []text               `yaml:"servers"`
	Hosts   strictyaml.Map[text] `yaml:"hosts"`
}

type retireDoc struct {
	Default    *text                `yaml:"default"`
	Successor  *text                `yaml:"successor"`
	Runbook    *text                `yaml:"runbook"`
	Params     strictyaml.Map[text] `yaml:"params"`
	ArchiveDir *text                `yaml:"archive_dir"`
}

type personDoc struct {
	strictyaml.At
	User *text `yaml:"user"`
	May  *text `yaml:"may"`
}
