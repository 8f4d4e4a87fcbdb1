// SPDX-License-Identifier: BSD-2-Clause

package sctp

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"sctpd.example/sctpd"
)

// SCTPAddr is the address of one end: all its IP addresses, and a port.
type SCTPAddr struct {
	IPAddrs []net.IPAddr
	Port    int
}

// Network is "sctp".
func (a *SCTPAddr) Network() string { return "sctp" }

func (a *SCTPAddr) String() string {
	if a == nil {
		return "<nil>"
	}
	return (&sctpd.Addr{IP: a.texts(), Port: uint16(a.Port)}).String()
}

// texts are the addresses as the daemon takes them; none is any.
func (a *SCTPAddr) texts() []string {
	var texts []string
	if a != nil {
		for i := range a.IPAddrs {
			texts = append(texts, a.IPAddrs[i].String())
		}
	}
	return texts
}

// fromDaemon makes one of what the daemon says.
func fromDaemon(addr net.Addr) *SCTPAddr {
	from := addr.(*sctpd.Addr)
	a := &SCTPAddr{Port: int(from.Port)}
	for _, text := range from.IP {
		ip, zone, _ := strings.Cut(text, "%")
		a.IPAddrs = append(a.IPAddrs, net.IPAddr{IP: net.ParseIP(ip), Zone: zone})
	}
	return a
}

// ResolveSCTPAddr reads "10.0.0.1/10.1.0.1:38412", "[fd00::1]:38412", "name:38412" or ":38412". network is
// "sctp", "sctp4" or "sctp6".
func ResolveSCTPAddr(network, addrs string) (*SCTPAddr, error) {
	if network == "" {
		network = "sctp"
	}
	family := strings.TrimPrefix(network, "sctp")
	if family == network || family != "" && family != "4" && family != "6" {
		return nil, fmt.Errorf("%q is no network of SCTP; it takes sctp, sctp4 or sctp6", network)
	}
	hosts := strings.Split(addrs, "/")
	last, port, err := net.SplitHostPort(hosts[len(hosts)-1])
	if err != nil {
		return nil, err
	}
	hosts[len(hosts)-1] = last
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%q is no port; it takes 0 to 65535", port)
	}
	a := &SCTPAddr{Port: int(number)}
	if len(hosts) == 1 && last == "" {
		return a, nil
	}
	for _, host := range hosts {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
		if host == "" {
			return nil, fmt.Errorf("%q has an empty address", addrs)
		}
		ip, err := net.ResolveIPAddr("ip"+family, host)
		if err != nil {
			return nil, err
		}
		a.IPAddrs = append(a.IPAddrs, *ip)
	}
	return a, nil
}

// isV6 says whether a socket for this address is one of IPv6.
func (a *SCTPAddr) isV6() bool {
	return a != nil && len(a.IPAddrs) > 0 && a.IPAddrs[0].IP.To4() == nil && a.IPAddrs[0].IP != nil
}
