// SPDX-License-Identifier: BSD-2-Clause

// The driver of client-lib/go for tests/conformance: see README.md there.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"sctpd.example/sctpd"
)

var (
	ctx     = context.Background()
	d       *sctpd.Daemon
	printed sync.Mutex
	wanted  = map[string]chan bool{}
)

func say(what map[string]any) {
	var line bytes.Buffer
	write(&line, reflect.ValueOf(what))
	line.WriteByte('\n')
	printed.Lock()
	defer printed.Unlock()
	os.Stdout.Write(line.Bytes())
}

// write writes a value as JSON, with names as they are on the wire; what is zero in a record is absent. Bytes are
// written here, since json.Marshal would look at each digit of 16 MiB.
func write(to *bytes.Buffer, v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			to.WriteString("null")
		} else {
			write(to, v.Elem())
		}
	case reflect.Map:
		m := map[string]reflect.Value{}
		for it := v.MapRange(); it.Next(); {
			m[it.Key().String()] = it.Value()
		}
		object(to, m)
	case reflect.Struct:
		m := map[string]reflect.Value{}
		fields(v, m)
		object(to, m)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			to.WriteString(`{"bytes": "` + hex.EncodeToString(v.Bytes()) + `"}`)
			return
		}
		to.WriteByte('[')
		for i := 0; i < v.Len(); i++ {
			comma(to, i)
			write(to, v.Index(i))
		}
		to.WriteByte(']')
	default:
		text, err := json.Marshal(v.Interface())
		if err != nil {
			panic(err)
		}
		to.Write(text)
	}
}

func comma(to *bytes.Buffer, i int) {
	if i > 0 {
		to.WriteString(", ")
	}
}

func object(to *bytes.Buffer, m map[string]reflect.Value) {
	to.WriteByte('{')
	i := 0
	for key, value := range m {
		comma(to, i)
		to.WriteString(strconv.Quote(key) + ": ")
		write(to, value)
		i++
	}
	to.WriteByte('}')
}

func fields(v reflect.Value, m map[string]reflect.Value) {
	for i := 0; i < v.NumField(); i++ {
		f := v.Type().Field(i)
		switch {
		case v.Field(i).IsZero():
		case f.Anonymous:
			fields(v.Field(i), m)
		case f.Name == "Extra":
			for it := v.Field(i).MapRange(); it.Next(); {
				m[it.Key().String()] = it.Value()
			}
		case f.IsExported():
			m[wire(f.Name)] = v.Field(i)
		}
	}
}

// wire turns AssocID into assoc_id.
func wire(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) && unicode.IsLower(rune(name[i-1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func code(err error) string {
	var e *sctpd.Error
	if errors.As(err, &e) {
		return string(e.Code)
	}
	return err.Error()
}

func arguments(words []string) sctpd.Map {
	m := sctpd.Map{}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			m[key] = n
		} else {
			m[key] = value
		}
	}
	return m
}

func connect(path string, words []string) {
	ms, _ := strconv.Atoi(words[1])
	config := sctpd.Config{Path: path, Plain: words[0] == "plain", Patience: time.Duration(ms) * time.Millisecond,
		OnChange: func(change sctpd.Change) { say(map[string]any{"change": string(change)}) }}
	if len(words) > 2 {
		config.Token = words[2]
		config.Seq, _ = strconv.ParseUint(words[3], 10, 64)
	}
	var err error
	if d, err = config.Connect(ctx); err != nil {
		say(map[string]any{"connected": false, "error": code(err)})
		return
	}
	say(map[string]any{"connected": true, "token": d.Token()})
}

func answer(id string, call *sctpd.Call, err error) {
	var result sctpd.Map
	if err == nil {
		result, err = call.Wait(ctx)
	}
	if err != nil {
		say(map[string]any{"id": id, "error": code(err)})
	} else {
		say(map[string]any{"id": id, "ok": result})
	}
}

// next asks for the next event of a socket; those of one socket are asked for one after the other.
func next(sock string) {
	if wanted[sock] == nil {
		wanted[sock] = make(chan bool, 10000)
		number, _ := strconv.ParseUint(sock, 10, 64)
		go take(d.Socket(number), wanted[sock])
	}
	wanted[sock] <- true
}

func take(s *sctpd.Socket, wanted <-chan bool) {
	for range wanted {
		event, err := s.Recv(ctx)
		if err != nil {
			say(map[string]any{"event": nil, "error": code(err)})
		} else {
			say(map[string]any{"event": event.Kind(), "fields": event})
		}
	}
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		switch words[0] {
		case "connect":
			connect(os.Args[1], words[1:])
		case "call":
			call, err := d.Go(ctx, words[2], arguments(words[3:]))
			go answer(words[1], call, err)
		case "notify":
			if err := d.Notify(ctx, words[1], arguments(words[2:])); err != nil {
				panic(err)
			}
		case "next":
			next(words[1])
		}
	}
}
