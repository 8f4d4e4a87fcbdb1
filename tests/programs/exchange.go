// SPDX-License-Identifier: BSD-2-Clause

// A Go program, which makes its system calls without a C library: SCTP
// sockets with the runtime's poller, 20 associations at a time. "serve PORT" and
// "talk PORT" are the two sides; without arguments it is both.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
)

const sctp = 132

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(l int) {
	for {
		fd, _, err := syscall.Accept(l)
		if err != nil {
			return
		}
		must(syscall.SetNonblock(fd, true))
		go func(f *os.File) {
			b := make([]byte, 1000)
			for {
				n, err := f.Read(b)
				if err != nil || n == 0 {
					f.Close()
					return
				}
				_, err = f.Write(b[:n])
				must(err)
			}
		}(os.NewFile(uintptr(fd), "accepted"))
	}
}

func listen(port int) int {
	l, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, sctp)
	must(err)
	must(syscall.Bind(l, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}))
	must(syscall.Listen(l, 20))
	return l
}

func talk(at syscall.Sockaddr) {
	var all sync.WaitGroup
	for i := 0; i < 20; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, sctp)
			must(err)
			must(syscall.Connect(fd, at))
			must(syscall.SetNonblock(fd, true))
			f := os.NewFile(uintptr(fd), "connected")
			defer f.Close()
			b := make([]byte, 100)
			for n := 0; n < 20; n++ {
				text := fmt.Sprintf("%d of %d", n, i)
				_, err = f.Write([]byte(text))
				must(err)
				k, err := f.Read(b)
				must(err)
				if string(b[:k]) != text {
					must(fmt.Errorf("got %q instead of %q", b[:k], text))
				}
			}
		}(i)
	}
	all.Wait()
}

func main() {
	port := 0
	if len(os.Args) == 3 {
		port, _ = strconv.Atoi(os.Args[2])
	}
	switch {
	case port == 0:
		l := listen(0)
		at, err := syscall.Getsockname(l)
		must(err)
		go serve(l)
		talk(at)
	case os.Args[1] == "serve":
		serve(listen(port))
	default:
		talk(&syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port})
	}
	fmt.Println("well")
}
