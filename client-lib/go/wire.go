// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"reflect"
	"sort"
	"strconv"
	"time"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Values on the wire and in Go. Of msgpack only what encodes and decodes single
// values is used, since the shapes are known: tables.go has a function for each
// record. A field that is absent keeps its zero, a key that is not known is kept
// aside or left out, as a later daemon may send more, and what is of another type
// than the tables say counts as absent.

const (
	largest = 1 << 29 // bytes of a message that comes
	deepest = 64      // arrays and maps in one another in it

	mostValues  = 65536 // of a message that goes; the daemon would end the connection
	deepestSent = 16
)

// Infinity is the timeout that never ends.
const Infinity = time.Duration(-1)

// Map is a record whose fields have no type in this package: keys, and values that
// are nil, bool, int64, float64, string, []byte, []any or Map.
type Map map[string]any

// Int gives a number, or 0 where there is none of that name.
func (m Map) Int(key string) int64 { n, _ := m[key].(int64); return n }

// String gives a text, or "".
func (m Map) String(key string) string { s, _ := m[key].(string); return s }

// Bool gives a truth value, or false.
func (m Map) Bool(key string) bool { b, _ := m[key].(bool); return b }

// Bytes gives bytes, or nil.
func (m Map) Bytes(key string) []byte { b, _ := m[key].([]byte); return b }

// Map gives a record inside this one, or nil.
func (m Map) Map(key string) Map { n, _ := m[key].(Map); return n }

// List gives a list, or nil.
func (m Map) List(key string) []any { l, _ := m[key].([]any); return l }

// Maps gives a list of records, which is what some methods answer: sctpd.Maps(result.Paths).
func Maps(list any) []Map {
	var out []Map
	for _, v := range listOf(list) {
		if r, ok := v.(Map); ok {
			out = append(out, r)
		}
	}
	return out
}

func listOf(v any) []any { l, _ := v.([]any); return l }

func (m Map) decode(d *reader, key []byte) error {
	name := string(key) // key is used again for those inside
	v, err := d.any()
	m[name] = v
	return err
}

// Endpoint is an address and a port.
type Endpoint struct {
	Addr string
	Port uint16
}

func (e Endpoint) String() string { return net.JoinHostPort(e.Addr, strconv.Itoa(int(e.Port))) }

func (e *Endpoint) decode(d *reader, key []byte) error {
	switch string(key) {
	case "addr":
		return d.address(&e.Addr)
	case "port":
		return number(d, &e.Port)
	}
	return d.skip()
}

func (e Endpoint) pairs() pairs { return pairs{{"addr", e.Addr}, {"port", e.Port}} }

// V gives a pointer to a value, for the fields of options: Max: sctpd.V(4000). A
// field that is nil is not given, and keeps its value.
func V[T any](value T) *T { return &value }

// ---- out ---------------------------------------------------------------

type pair struct {
	key   string
	value any
}

// pairs are the fields of a record that is sent, in their order. What is nil is not sent.
type pairs []pair

// lister is a record that is sent.
type lister interface{ pairs() pairs }

func (p pairs) pairs() pairs { return p }

func (m Map) pairs() pairs {
	out := make(pairs, 0, len(m))
	for key, value := range m {
		out = append(out, pair{key, value})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].key < out[j].key })
	return out
}

// given is nil for a zero: of a record whose fields are no pointers it is not sent.
func given[T comparable](value T) any {
	var zero T
	if value == zero {
		return nil
	}
	return value
}

// writer encodes one message. It is written to memory, so what fails is only a value
// that cannot be sent; err is the first.
type writer struct {
	enc    *msgpack.Encoder
	buf    bytes.Buffer
	err    error
	depth  int
	values int
}

func newWriter(size int) *writer {
	w := &writer{}
	w.buf.Grow(size)
	w.enc = msgpack.NewEncoder(&w.buf)
	return w
}

func (w *writer) note(err error) {
	if err != nil && w.err == nil {
		w.err = err
	}
}

func (w *writer) array(n int)      { w.note(w.enc.EncodeArrayLen(n)) }
func (w *writer) fields(n int)     { w.note(w.enc.EncodeMapLen(n)) }
func (w *writer) text(s string)    { w.note(w.enc.EncodeString(s)) }
func (w *writer) number(n uint64)  { w.note(w.enc.EncodeUint(n)) }
func (w *writer) binary(b []byte)  { w.note(w.enc.EncodeBytes(b)) }
func (w *writer) msgid(id uint32)  { w.note(w.enc.EncodeUint32(id)) }
func (w *writer) integer(n int64)  { w.note(w.enc.EncodeInt(n)) }
func (w *writer) double(n float64) { w.note(w.enc.EncodeFloat64(n)) }

// none says whether a value is a nil of whatever type.
func none(value any) bool {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	}
	return false
}

func (w *writer) record(p pairs) {
	n := 0
	for _, f := range p {
		if !none(f.value) {
			n++
		}
	}
	w.fields(n)
	w.values += n // its keys
	for _, f := range p {
		if none(f.value) {
			continue
		}
		w.text(f.key)
		had := w.err
		w.value(f.value)
		if w.err != had {
			w.err = fmt.Errorf("%s: %w", f.key, w.err)
		}
	}
}

func (w *writer) value(value any) {
	w.depth++
	defer func() { w.depth-- }()
	if w.values++; w.values > mostValues-16 || w.depth > deepestSent-4 { // the request has some of its own
		w.note(fmt.Errorf("too much; the daemon takes %d values, nested %d deep", mostValues, deepestSent))
		return
	}
	switch v := value.(type) {
	case lister:
		w.record(v.pairs())
	case []byte:
		w.binary(v)
	case string:
		w.text(v)
	case time.Duration:
		w.duration(v)
	case fmt.Stringer: // an address
		w.text(v.String())
	default:
		w.reflected(reflect.ValueOf(value))
	}
}

// duration is sent as milliseconds: one that is not 0 does not become 0.
func (w *writer) duration(d time.Duration) {
	if d < 0 {
		w.text("infinity")
		return
	}
	w.integer(int64((d + time.Millisecond - 1) / time.Millisecond))
}

// reflected is for types that are made of others, such as those of options.
func (w *writer) reflected(v reflect.Value) {
	switch v.Kind() {
	case reflect.Invalid:
		w.note(w.enc.EncodeNil())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			w.note(w.enc.EncodeNil())
			return
		}
		w.value(v.Elem().Interface())
	case reflect.Bool:
		w.note(w.enc.EncodeBool(v.Bool()))
	case reflect.String:
		w.text(v.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.integer(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		w.number(v.Uint())
	case reflect.Float32, reflect.Float64:
		w.double(v.Float())
	case reflect.Slice, reflect.Array:
		w.array(v.Len())
		for i := 0; i < v.Len(); i++ {
			w.value(v.Index(i).Interface())
		}
	case reflect.Map:
		w.mapped(v)
	default:
		w.note(fmt.Errorf("%s cannot be sent; it takes a bool, number, string, []byte, slice, map or record", v.Type()))
	}
}

func (w *writer) mapped(v reflect.Value) {
	m := Map{}
	for it := v.MapRange(); it.Next(); {
		m[fmt.Sprint(it.Key())] = it.Value().Interface()
	}
	w.record(m.pairs())
}

// done gives what was written, or why it cannot be sent.
func (w *writer) done() ([]byte, error) {
	if w.err != nil {
		return nil, &Error{Code: Badarg, Text: "badarg: " + w.err.Error()}
	}
	return w.buf.Bytes(), nil
}

const msgidAt = 3 // in a packed request: its four bytes are set when it is known

// begin packs what comes before the arguments: a request is [0, msgid, method, [arguments]].
func (w *writer) begin(method string) {
	w.array(4)
	w.integer(0)
	w.msgid(0)
	w.text(method)
	w.array(1)
}

func packRequest(method string, arguments pairs) ([]byte, error) {
	w := newWriter(128)
	w.begin(method)
	w.record(arguments)
	return w.done()
}

// packNotification packs [2, method, [arguments]].
func packNotification(method string, arguments pairs) ([]byte, error) {
	w := newWriter(128)
	w.array(3)
	w.integer(2)
	w.text(method)
	w.array(1)
	w.record(arguments)
	return w.done()
}

// ---- in ----------------------------------------------------------------

// record takes its fields one by one, as they come: the value of key is next.
type record interface {
	decode(d *reader, key []byte) error
}

// counted counts the bytes of a message and lets none be longer than the protocol allows.
type counted struct {
	in     *bufio.Reader
	size   int
	broken error // why nothing more can be read; what else fails is malformed
}

func (c *counted) take(n int) error {
	c.size += n
	if c.size > largest {
		return malformed("a message is longer than %d bytes", largest)
	}
	return nil
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	if err != nil {
		c.broken = err
		return n, err
	}
	return n, c.take(n)
}

func (c *counted) ReadByte() (byte, error) {
	b, err := c.in.ReadByte()
	if err != nil {
		c.broken = err
		return b, err
	}
	return b, c.take(1)
}

func (c *counted) UnreadByte() error {
	c.size--
	return c.in.UnreadByte()
}

// reader decodes messages as they arrive.
type reader struct {
	*counted
	dec   *msgpack.Decoder
	depth int
	key   [64]byte
	addr  string // the last address: most are the same
}

func newReader(in io.Reader) *reader {
	c := &counted{in: bufio.NewReaderSize(in, 64<<10)}
	return &reader{counted: c, dec: msgpack.NewDecoder(c)}
}

// malformed is what ends a session: nothing after it can be trusted.
func malformed(format string, args ...any) error {
	return over(Eproto, "sctpd sent what is no message: "+fmt.Sprintf(format, args...))
}

func (d *reader) peek() (byte, error) { return d.dec.PeekCode() }

func isText(c byte) bool {
	return msgpcode.IsString(c) || msgpcode.IsBin(c)
}

func isList(c byte) bool {
	return msgpcode.IsFixedArray(c) || c == msgpcode.Array16 || c == msgpcode.Array32
}

func isMap(c byte) bool {
	return msgpcode.IsFixedMap(c) || c == msgpcode.Map16 || c == msgpcode.Map32
}

// enter counts how deep we are; leave undoes it.
func (d *reader) enter() error {
	if d.depth++; d.depth > deepest {
		return malformed("arrays or maps are nested more than %d deep", deepest)
	}
	return nil
}

func (d *reader) leave() { d.depth-- }

// skip leaves the next value out.
func (d *reader) skip() error {
	c, err := d.peek()
	if err != nil {
		return err
	}
	switch {
	case isList(c):
		return d.list(func() error { return d.skip() })
	case isMap(c):
		return d.pairs(func([]byte) error { return d.skip() })
	case isText(c): // nothing of it is kept
		n, err := d.dec.DecodeBytesLen()
		if err == nil {
			_, err = io.CopyN(io.Discard, d, int64(n))
		}
		return err
	}
	return d.dec.Skip()
}

// list calls each for each value of the next array; another value is left out.
func (d *reader) list(each func() error) error {
	c, err := d.peek()
	if err != nil {
		return err
	}
	if !isList(c) {
		return d.skip()
	}
	n, err := d.dec.DecodeArrayLen()
	if err == nil {
		err = d.enter()
	}
	for ; err == nil && n > 0; n-- {
		err = each()
	}
	d.leave()
	return err
}

// pairs calls each for each key of the next map, whose value is next then.
func (d *reader) pairs(each func(key []byte) error) error {
	c, err := d.peek()
	if err != nil {
		return err
	}
	if !isMap(c) {
		return d.skip()
	}
	n, err := d.dec.DecodeMapLen()
	if err == nil {
		err = d.enter()
	}
	for ; err == nil && n > 0; n-- {
		var key []byte
		if key, err = d.nextKey(); err == nil {
			err = each(key)
		}
	}
	d.leave()
	return err
}

// nextKey gives a key, which is valid until the next one is read. One that is no text has no name here.
func (d *reader) nextKey() ([]byte, error) {
	c, err := d.peek()
	if err != nil || !isText(c) {
		if err == nil {
			err = d.skip()
		}
		return nil, err
	}
	n, err := d.dec.DecodeBytesLen()
	if err != nil {
		return nil, err
	}
	if n <= len(d.key) {
		_, err := io.ReadFull(d, d.key[:n])
		return d.key[:n], err
	}
	return d.sized(n)
}

// sized reads n bytes, and takes memory as they come.
func (d *reader) sized(n int) ([]byte, error) {
	if n <= 1<<20 {
		b := make([]byte, n)
		_, err := io.ReadFull(d, b)
		return b, err
	}
	var b bytes.Buffer
	if _, err := io.CopyN(&b, d, int64(n)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// into fills a record from the next map.
func (d *reader) into(r record) error {
	return d.pairs(func(key []byte) error { return r.decode(d, key) })
}

func (d *reader) bytes(to *[]byte) error {
	c, err := d.peek()
	if err != nil || !isText(c) {
		if err == nil {
			err = d.skip()
		}
		return err
	}
	n, err := d.dec.DecodeBytesLen()
	if err == nil {
		*to, err = d.sized(n)
	}
	return err
}

func (d *reader) text(to *string) error {
	var b []byte
	err := d.bytes(&b)
	*to = string(b)
	return err
}

// address is text that is often the same as the last time.
func (d *reader) address(to *string) error {
	c, err := d.peek()
	if err != nil || !isText(c) {
		return d.text(to)
	}
	n, err := d.dec.DecodeBytesLen()
	if err != nil {
		return err
	}
	b := d.key[:0]
	if n <= len(d.key) {
		b = d.key[:n]
		_, err = io.ReadFull(d, b)
	} else {
		b, err = d.sized(n)
	}
	if d.addr != string(b) {
		d.addr = string(b)
	}
	*to = d.addr
	return err
}

func (d *reader) bool(to *bool) error {
	c, err := d.peek()
	if err != nil {
		return err
	}
	*to = c == msgpcode.True
	return d.skip()
}

func (d *reader) texts(to *[]string) error {
	return d.list(func() error {
		var s string
		err := d.text(&s)
		*to = append(*to, s)
		return err
	})
}

func (d *reader) numbers(to *[]uint16) error {
	return d.list(func() error {
		var n uint16
		err := number(d, &n)
		*to = append(*to, n)
		return err
	})
}

func (d *reader) duration(to *time.Duration) error {
	c, err := d.peek()
	if err == nil && isText(c) {
		*to = Infinity
		return d.skip()
	}
	var ms int64
	err = number(d, &ms)
	*to = time.Duration(ms) * time.Millisecond
	return err
}

type integer interface {
	~int | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// number reads one, which may come as a float without a fraction. What does not fit counts as absent.
func number[T integer](d *reader, to *T) error {
	c, err := d.peek()
	if err != nil {
		return err
	}
	var n int64
	switch {
	case msgpcode.IsFixedNum(c) || c >= msgpcode.Uint8 && c <= msgpcode.Int64:
		n, err = d.dec.DecodeInt64()
	case c == msgpcode.Float || c == msgpcode.Double:
		var f float64
		if f, err = d.dec.DecodeFloat64(); math.Abs(f) < 1<<53 {
			n = int64(f)
		}
	default:
		return d.skip()
	}
	if t := T(n); int64(t) == n {
		*to = t
	}
	return err
}

// fresh makes the value of a field that may be absent.
func fresh[T any](to **T) *T {
	*to = new(T)
	return *to
}

func (d *reader) anything(to *any) (err error) {
	*to, err = d.any()
	return err
}

// any reads whatever comes.
func (d *reader) any() (any, error) {
	c, err := d.peek()
	if err != nil {
		return nil, err
	}
	switch {
	case isMap(c):
		m := Map{}
		return m, d.into(m)
	case isList(c):
		l := []any{}
		err = d.list(func() error {
			v, err := d.any()
			l = append(l, v)
			return err
		})
		return l, err
	case msgpcode.IsBin(c):
		var b []byte
		err = d.bytes(&b)
		return b, err
	case msgpcode.IsString(c):
		var s string
		err = d.text(&s)
		return s, err
	}
	return d.scalar(c)
}

func (d *reader) scalar(c byte) (any, error) {
	switch {
	case c == msgpcode.Nil, msgpcode.IsExt(c):
		return nil, d.skip()
	case c == msgpcode.True, c == msgpcode.False:
		return c == msgpcode.True, d.skip()
	case c == msgpcode.Float || c == msgpcode.Double:
		f, err := d.dec.DecodeFloat64()
		if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f), err
		}
		return f, err
	}
	n, err := d.dec.DecodeInt64()
	return n, err
}
