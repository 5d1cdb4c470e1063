// fanload - fan-out load generator for WebSocket, SSE and HTTP streaming servers.
// Single-threaded epoll. Own work of this project. Build: gcc -O2 -o fanload fanload.c -lz
//
//   fanload ws|sse|stream [options]    subscribers, prints one JSON object at the end
//   fanload pub [options]              publisher: POSTs (or prints) messages carrying the time in microseconds
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

// ---------------------------------------------------------------- time
static uint64_t mono_us(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000ull + t.tv_nsec / 1000; }
static uint64_t wall_us(void) { struct timespec t; clock_gettime(CLOCK_REALTIME, &t); return t.tv_sec * 1000000ull + t.tv_nsec / 1000; }
static void die(const char *fmt, ...) { va_list a; va_start(a, fmt); fprintf(stderr, "fanload: "); vfprintf(stderr, fmt, a); fprintf(stderr, "\n"); va_end(a); exit(2); }

// ---------------------------------------------------------------- histogram: log-linear, 128 sub-buckets, error < 1%
#define HSUB 7
#define HN ((64 - HSUB + 1) << HSUB)
typedef struct { uint64_t n, max, min, neg; double sum; uint64_t b[HN]; } hist;
static int hidx(uint64_t v) {
    if (v < (1u << HSUB)) return (int)v;
    int e = 63 - __builtin_clzll(v);            // >= HSUB
    int shift = e - HSUB;
    return ((shift + 1) << HSUB) + (int)((v >> shift) & ((1u << HSUB) - 1));
}
static uint64_t hval(int i) {                    // middle of the bucket
    if (i < (1 << HSUB)) return i;
    int shift = (i >> HSUB) - 1;
    uint64_t lo = (((uint64_t)(i & ((1 << HSUB) - 1))) | (1u << HSUB)) << shift;
    return lo + ((1ull << shift) >> 1);
}
static void hadd(hist *h, int64_t v) {
    if (v < 0) { h->neg++; v = 0; }
    h->n++; h->sum += v; h->b[hidx(v)]++;
    if ((uint64_t)v > h->max) h->max = v;
    if ((uint64_t)v < h->min || h->n == 1) h->min = v;
}
static double hpct(hist *h, double p) {
    if (!h->n) return 0;
    uint64_t want = (uint64_t)ceil(h->n * p / 100.0), acc = 0; if (want < 1) want = 1;
    for (int i = 0; i < HN; i++) { acc += h->b[i]; if (acc >= want) { uint64_t v = hval(i); return (double)(v > h->max ? h->max : v); } }
    return h->max;
}
static void hjson(FILE *f, const char *name, hist *h) {
    fprintf(f, "\"%s\":{\"n\":%llu,\"min\":%.3f,\"mean\":%.3f,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}", name,
            (unsigned long long)h->n, h->min / 1e3, h->n ? h->sum / h->n / 1e3 : 0, hpct(h, 50) / 1e3, hpct(h, 90) / 1e3, hpct(h, 99) / 1e3, hpct(h, 99.9) / 1e3, h->max / 1e3);
}

// ---------------------------------------------------------------- options
enum { P_WS, P_SSE, P_STREAM };
static int o_proto, o_n = 100, o_port = 80, o_inflight = 64, o_src = 4, o_eio, o_rcvbuf, o_storm, o_storm_inflight, o_storm_fin = 1, o_deflate, o_gzip, o_verbose, o_nomarker, o_slow_resume;
static double o_dur = 10, o_settle = 2, o_conn_timeout = 60, o_slow, o_storm_timeout = 60, o_hb_every;
static const char *o_host = "127.0.0.1", *o_path = "/", *o_send, *o_send2, *o_marker = "\"t\":", *o_ready, *o_onready, *o_hb, *o_reply_in, *o_reply_out, *o_method = "GET", *o_body, *o_hosthdr, *o_label;
static size_t o_marker_len, o_ready_len;
static char *o_hdr[32]; static int o_nhdr;
static int o_pids[64], o_npids;
static int o_closed; static char *o_pub_body, *o_pub_path = "/", *o_pub_hdr[16]; static int o_pub_port, o_npubhdr; static int o_payload = 200;
static struct sockaddr_in dst;

// ---------------------------------------------------------------- process accounting
static int all_pids(int *out, int cap) {         // the given pids and all their descendants
    static int pid[8192], pp[8192]; int n = 0; DIR *d = opendir("/proc"); struct dirent *e;
    while (d && (e = readdir(d))) {
        if (!isdigit(e->d_name[0]) || n >= 8192) continue;
        char p[64], b[1024]; snprintf(p, sizeof p, "/proc/%.20s/stat", e->d_name);
        int fd = open(p, O_RDONLY); if (fd < 0) continue; int r = read(fd, b, sizeof b - 1); close(fd); if (r <= 0) continue; b[r] = 0;
        char *q = strrchr(b, ')'); if (!q) continue; int ppid; char st; if (sscanf(q + 1, " %c %d", &st, &ppid) != 2) continue;
        pid[n] = atoi(e->d_name); pp[n++] = ppid;
    }
    if (d) closedir(d);
    int m = 0; for (int i = 0; i < o_npids && m < cap; i++) out[m++] = o_pids[i];
    for (int k = 0; k < m; k++) for (int i = 0; i < n && m < cap; i++) if (pp[i] == out[k]) { int dup = 0; for (int j = 0; j < m; j++) dup |= out[j] == pid[i]; if (!dup) out[m++] = pid[i]; }
    return m;
}
typedef struct { double cpu_tick, cpu_ns, user, sys; long rss, pss, uss; int procs; uint64_t t; double core_busy[64], core_soft[64]; long tcpmem; } usage;
static long kv(const char *b, const char *k) { const char *p = strstr(b, k); return p ? atol(p + strlen(k)) : 0; }
static int slurp(const char *p, char *b, int cap) { int fd = open(p, O_RDONLY); if (fd < 0) return 0; int n = 0, r; while (n < cap - 1 && (r = read(fd, b + n, cap - 1 - n)) > 0) n += r; close(fd); b[n] = 0; return n; }
static usage get_usage(int mem) {
    usage u; memset(&u, 0, sizeof u); int p[512]; int m = o_npids ? all_pids(p, 512) : 0; static char b[262144]; char f[96]; double hz = sysconf(_SC_CLK_TCK);
    for (int i = 0; i < m; i++) {
        snprintf(f, sizeof f, "/proc/%d/stat", p[i]); if (!slurp(f, b, sizeof b)) continue;
        char *q = strrchr(b, ')'); unsigned long ut = 0, st = 0;
        if (q && sscanf(q + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &ut, &st) == 2) { u.user += ut / hz; u.sys += st / hz; }
        u.procs++;
        snprintf(f, sizeof f, "/proc/%d/task", p[i]); DIR *d = opendir(f); struct dirent *e;
        while (d && (e = readdir(d))) { if (!isdigit(e->d_name[0])) continue; char g[128]; snprintf(g, sizeof g, "/proc/%d/task/%.20s/schedstat", p[i], e->d_name); if (slurp(g, b, sizeof b)) u.cpu_ns += strtoull(b, 0, 10) / 1e9; }
        if (d) closedir(d);
        if (mem) { snprintf(f, sizeof f, "/proc/%d/smaps_rollup", p[i]); if (slurp(f, b, sizeof b)) { u.rss += kv(b, "\nRss:"); u.pss += kv(b, "\nPss:"); u.uss += kv(b, "\nPrivate_Clean:") + kv(b, "\nPrivate_Dirty:"); } }
    }
    u.cpu_tick = u.user + u.sys;
    if (slurp("/proc/stat", b, sizeof b)) for (int c = 0; c < 64; c++) { char k[16]; snprintf(k, sizeof k, "\ncpu%d ", c); char *q = strstr(b, k); if (!q) break; unsigned long v[8] = {0};
        sscanf(q + strlen(k), "%lu %lu %lu %lu %lu %lu %lu %lu", v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7); u.core_busy[c] = (v[0] + v[1] + v[2] + v[5] + v[6]) / hz; u.core_soft[c] = (v[5] + v[6]) / hz; }
    if (slurp("/proc/net/sockstat", b, sizeof b)) { char *q = strstr(b, " mem "); if (q) u.tcpmem = atol(q + 5) * (sysconf(_SC_PAGESIZE) / 1024); }
    u.t = mono_us(); return u;
}

// ---------------------------------------------------------------- connections
enum { S_IDLE, S_CONNECTING, S_HANDSHAKE, S_OPENING, S_READY, S_DEAD };
typedef struct {
    int fd; uint32_t idx; uint8_t st, slow, chunked, has_data, got_first, deflate_on, cstate; uint8_t tries;
    uint32_t len, cap; char *buf; int64_t crem; uint64_t t0, retry_at, msgs; z_stream *z;
} conn;
static conn *C; static int ep; static char *G; static size_t Gcap = 1 << 20;
static int n_inflight, n_ready, n_next, n_failed_now; static uint64_t n_retries, n_disc, n_disc_slow, n_err_http, n_pings, n_fail_sock;
static int measuring, storming; static uint64_t storm_t0; static int storm_ready, storm_first;
static uint64_t c_frames, c_msgs, c_bytes, c_raw, c_unmarked; static hist H_lat, H_conn, H_sready, H_sfirst;
static char req[16384]; static int req_len; static uint64_t last_err_print;
static uint64_t total_msgs;     // since start, for the closed loop

static void conn_close(conn *c, int rst) {
    if (c->fd >= 0) { if (rst) { struct linger l = {1, 0}; setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l); } close(c->fd); }
    c->fd = -1; c->len = 0; if (c->z) { inflateEnd(c->z); free(c->z); c->z = 0; }
}
static void conn_fail(conn *c, const char *why) {
    uint64_t now = mono_us();
    if (o_verbose && now - last_err_print > 200000) { fprintf(stderr, "fanload: conn %u state %d: %s (%s)\n", c->idx, c->st, why, strerror(errno)); last_err_print = now; }
    if (c->st == S_READY) { n_ready--; if (c->slow) n_disc_slow++; else n_disc++; }
    else if (c->st == S_CONNECTING || c->st == S_HANDSHAKE || c->st == S_OPENING) n_inflight--;
    int was_ready = c->st == S_READY;
    conn_close(c, 1); c->st = S_DEAD;
    if (!was_ready || storming) { c->retry_at = now + 50000 + rand() % 200000; n_retries++; c->st = S_IDLE; n_failed_now++; }
}
static void set_ev(conn *c, uint32_t ev, int op) { struct epoll_event e = {.events = ev, .data.u32 = c->idx}; epoll_ctl(ep, op, c->fd, &e); }
static void conn_start(conn *c) {
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) { n_fail_sock++; c->st = S_IDLE; c->retry_at = mono_us() + 100000; n_failed_now++; return; }
    int one = 1; setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (o_rcvbuf) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &o_rcvbuf, sizeof o_rcvbuf);
    if (o_src > 0 && (ntohl(dst.sin_addr.s_addr) >> 24) == 127) {
        struct sockaddr_in s = {.sin_family = AF_INET}; s.sin_addr.s_addr = htonl(0x7f000002u + c->idx % o_src);
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one); bind(c->fd, (void *)&s, sizeof s);
    }
    c->len = 0; c->chunked = c->has_data = c->got_first = c->cstate = 0; c->deflate_on = 0; c->crem = 0; c->t0 = mono_us(); c->st = S_CONNECTING; n_inflight++;
    int r = connect(c->fd, (void *)&dst, sizeof dst);
    if (r < 0 && errno != EINPROGRESS) { conn_fail(c, "connect"); return; }
    set_ev(c, EPOLLOUT, EPOLL_CTL_ADD);
}
static void ws_send(conn *c, int op, const char *p, size_t n) {
    static unsigned char f[70000]; size_t h; if (n > 65535) die("frame to send too long");
    f[0] = 0x80 | op; if (n < 126) { f[1] = 0x80 | n; h = 2; } else { f[1] = 0x80 | 126; f[2] = n >> 8; f[3] = n; h = 4; }
    uint32_t k = 0x9e3779b9u * (c->idx + 1); memcpy(f + h, &k, 4); unsigned char *kb = f + h; h += 4;
    for (size_t i = 0; i < n; i++) f[h + i] = p[i] ^ kb[i & 3];
    if (send(c->fd, f, h + n, MSG_NOSIGNAL) != (ssize_t)(h + n)) conn_fail(c, "send");
}
static void mark_ready(conn *c) {
    c->st = S_READY; n_inflight--; n_ready++; uint64_t now = mono_us(); hadd(&H_conn, now - c->t0); c->got_first = 0;
    if (storming) { hadd(&H_sready, now - storm_t0); storm_ready++; }
    if (c->slow) set_ev(c, EPOLLRDHUP, EPOLL_CTL_MOD);
}
static void opened(conn *c) {                     // protocol handshake done: send the subscribe command
    c->st = S_OPENING;
    if (o_proto == P_WS && o_eio) return;         // waits for the Engine.IO open packet
    if (o_proto == P_WS && o_send) ws_send(c, 1, o_send, strlen(o_send));
    if (o_proto == P_WS && o_send2) ws_send(c, 1, o_send2, strlen(o_send2));
    if (c->fd >= 0 && !o_ready) mark_ready(c);
}
static void count_payload(conn *c, const char *p, size_t n, uint64_t now) {   // one data message
    c_frames += measuring; if (measuring) c_bytes += n; int k = 0;
    if (!o_nomarker) {
        const char *q = p, *e = p + n;
        while ((q = memmem(q, e - q, o_marker, o_marker_len))) {
            q += o_marker_len; while (q < e && (*q == ' ' || *q == '"' || *q == '\\')) q++;
            uint64_t v = 0; while (q < e && *q >= '0' && *q <= '9') v = v * 10 + (*q++ - '0');
            if (v > 1000000000000000ull && v < 4000000000000000ull) { k++; if (measuring) hadd(&H_lat, (int64_t)(now - v)); }
        }
    } else k = 1;
    if (measuring) { c_msgs += k; if (!k) c_unmarked++; }
    if (k) { total_msgs += k; c->msgs += k;
        if (storming && !c->got_first && c->st == S_READY) { c->got_first = 1; hadd(&H_sfirst, mono_us() - storm_t0); storm_first++; } }
}
static void ws_message(conn *c, const char *p, size_t n, uint64_t now) {
    if (o_eio) {
        if (n == 1 && p[0] == '2') { n_pings++; ws_send(c, 1, "3", 1); return; }
        if (c->st == S_OPENING && n && p[0] == '0') { ws_send(c, 1, "40", 2); return; }
        if (c->st == S_OPENING && n > 1 && p[0] == '4' && p[1] == '0') { if (o_send) ws_send(c, 1, o_send, strlen(o_send)); if (c->fd >= 0 && !o_ready) mark_ready(c); return; }
    }
    if (o_reply_in && n == strlen(o_reply_in) && !memcmp(p, o_reply_in, n)) { n_pings++; ws_send(c, 1, o_reply_out, strlen(o_reply_out)); return; }
    if (c->st == S_OPENING && o_ready && memmem(p, n, o_ready, o_ready_len)) mark_ready(c);
    if (c->fd >= 0) count_payload(c, p, n, now);
}
static char *Z; static size_t Zcap = 1 << 20;
static size_t inflate_some(conn *c, const char *p, size_t n, int tail) {      // into Z
    z_stream *z = c->z; size_t out = 0; static unsigned char t4[4] = {0, 0, 0xff, 0xff};
    for (int pass = 0; pass < (tail ? 2 : 1); pass++) {
        z->next_in = pass ? t4 : (void *)p; z->avail_in = pass ? 4 : n;
        do { if (out == Zcap) Z = realloc(Z, Zcap *= 2); z->next_out = (void *)(Z + out); z->avail_out = Zcap - out; int r = inflate(z, Z_SYNC_FLUSH); out = Zcap - z->avail_out; if (r != Z_OK && r != Z_BUF_ERROR && r != Z_STREAM_END) break; if (r == Z_STREAM_END) break; } while (z->avail_out == 0);
    }
    return out;
}
// parsers return how many bytes were used; the rest is kept for the next read
static size_t parse_ws(conn *c, char *p, size_t n, uint64_t now) {
    size_t o = 0;
    while (c->fd >= 0 && n - o >= 2) {
        unsigned char b0 = p[o], b1 = p[o + 1]; uint64_t L = b1 & 127; size_t h = 2;
        if (L == 126) { if (n - o < 4) break; L = (unsigned char)p[o + 2] << 8 | (unsigned char)p[o + 3]; h = 4; }
        else if (L == 127) { if (n - o < 10) break; L = 0; for (int i = 0; i < 8; i++) L = L << 8 | (unsigned char)p[o + 2 + i]; h = 10; }
        if (n - o < h + L) break;
        char *q = p + o + h; int op = b0 & 15; o += h + L;
        if (op == 9) { n_pings++; ws_send(c, 10, q, L); }
        else if (op == 8) { errno = 0; conn_fail(c, "close frame"); }
        else if (op <= 2) { if ((b0 & 0x40) && c->deflate_on) { size_t m = inflate_some(c, q, L, 1); ws_message(c, Z, m, now); } else ws_message(c, q, L, now); }
    }
    return o;
}
static size_t parse_lines(conn *c, char *p, size_t n, uint64_t now) {
    size_t o = 0; char *e;
    while (c->fd >= 0 && (e = memchr(p + o, '\n', n - o))) {
        size_t L = e - (p + o), M = L; char *q = p + o; o += L + 1; if (M && q[M - 1] == '\r') M--;
        if (o_proto == P_STREAM) { if (c->st == S_OPENING && o_ready && memmem(q, M, o_ready, o_ready_len)) mark_ready(c); if (M) count_payload(c, q, M, now); continue; }
        if (M == 0) { c->has_data = 0; continue; }
        if (c->st == S_OPENING && o_ready && memmem(q, M, o_ready, o_ready_len)) mark_ready(c);
        if (M > 5 && !memcmp(q, "data:", 5)) { count_payload(c, q + 5, M - 5, now); if (c->has_data && measuring) c_frames--; c->has_data = 1; }
    }
    return o;
}
static int on_handshake(conn *c, char *p, size_t n) {   // returns bytes of header or 0
    char *e = memmem(p, n, "\r\n\r\n", 4); if (!e) { if (n > 16000) conn_fail(c, "header too long"); return 0; }
    int hl = e + 4 - p; e[2] = 0; int code = n > 12 ? atoi(p + 9) : 0;
    if ((o_proto == P_WS && code != 101) || (o_proto != P_WS && code != 200)) { if (!n_err_http++) fprintf(stderr, "fanload: unexpected answer: %.300s\n", p); errno = 0; conn_fail(c, "HTTP status"); return 0; }
    c->chunked = strcasestr(p, "transfer-encoding: chunked") != 0; c->cstate = 0; c->crem = 0;
    int gz = o_proto != P_WS && strcasestr(p, "content-encoding: gzip") != 0;
    c->deflate_on = (o_proto == P_WS && strcasestr(p, "permessage-deflate")) || gz;
    if (c->deflate_on) { c->z = calloc(1, sizeof(z_stream)); inflateInit2(c->z, gz ? 31 : -15); }
    opened(c); return hl;
}
static size_t unchunk(conn *c, char *p, size_t n) {     // in place; returns length of the decoded bytes
    size_t i = 0, o = 0;
    while (i < n) {
        if (c->cstate == 0) { char ch = p[i++]; if (ch == '\n') { if (c->crem == 0) { c->cstate = 3; } else c->cstate = 1; } else if (ch == ';') c->cstate = 4; else if (isxdigit(ch)) c->crem = c->crem * 16 + (ch <= '9' ? ch - '0' : (ch | 32) - 'a' + 10); }
        else if (c->cstate == 4) { if (p[i++] == '\n') c->cstate = c->crem ? 1 : 3; }
        else if (c->cstate == 1) { size_t k = n - i; if ((int64_t)k > c->crem) k = c->crem; memmove(p + o, p + i, k); o += k; i += k; c->crem -= k; if (!c->crem) c->cstate = 2; }
        else if (c->cstate == 2) { if (p[i++] == '\n') { c->cstate = 0; c->crem = 0; } }
        else break;
    }
    return o;
}
static void keep(conn *c, const char *p, size_t n) {
    if (n > c->cap) { c->cap = n + 256; c->buf = realloc(c->buf, c->cap); }
    if (n) memcpy(c->buf, p, n);
    c->len = n; if (!n && c->cap > 65536) { free(c->buf); c->buf = 0; c->cap = 0; }
}
static void on_readable(conn *c) {
    size_t have = c->len; if (Gcap - have < 262144) { G = realloc(G, Gcap = have + (1 << 20)); }
    if (have) memcpy(G, c->buf, have);
    ssize_t r = recv(c->fd, G + have, Gcap - have > 262144 ? 262144 : Gcap - have, 0);
    if (r == 0) { errno = 0; conn_fail(c, "closed by peer"); return; }
    if (r < 0) { if (errno != EAGAIN && errno != EINTR) conn_fail(c, "recv"); return; }
    if (measuring) c_raw += r;
    uint64_t now = wall_us(); char *p = G; size_t n = have + r, fresh = r;
    if (c->st == S_HANDSHAKE) {
        int h = on_handshake(c, p, n);
        if (c->fd < 0 || c->st == S_IDLE) return;
        if (!h) { keep(c, p, n); return; }
        p += h; n -= h; fresh = n; have = 0; if (!n) { c->len = 0; return; }
    }
    if (o_proto == P_WS) { size_t u = parse_ws(c, p, n, now); if (c->fd >= 0) keep(c, p + u, n - u); return; }
    // bytes before "fresh" are already decoded leftovers
    if (c->chunked) { n = have + unchunk(c, p + have, fresh); }
    if (c->deflate_on) { size_t m = inflate_some(c, p + have, n - have, 0); static char *J; static size_t Jc; if (Jc < have + m) J = realloc(J, Jc = have + m + 4096); memcpy(J, p, have); memcpy(J + have, Z, m); p = J; n = have + m; }
    size_t u = parse_lines(c, p, n, now); if (c->fd >= 0) keep(c, p + u, n - u);
    if (c->fd >= 0 && c->chunked && c->cstate == 3) { errno = 0; conn_fail(c, "end of body"); }
}
static void on_event(conn *c, uint32_t ev) {
    if (c->fd < 0) return;
    if (c->st == S_CONNECTING) {
        int err = 0; socklen_t l = sizeof err; getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &l);
        if (err) { errno = err; conn_fail(c, "connect"); return; }
        if (!(ev & EPOLLOUT)) return;
        c->st = S_HANDSHAKE; set_ev(c, EPOLLIN | EPOLLRDHUP, EPOLL_CTL_MOD);
        if (send(c->fd, req, req_len, MSG_NOSIGNAL) != req_len) conn_fail(c, "send request");
        return;
    }
    if (c->slow && c->st == S_READY && !(ev & EPOLLIN)) { if (ev & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) { errno = 0; conn_fail(c, "slow reader dropped by server"); } return; }
    if (ev & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP)) on_readable(c);
}
static void pump_connects(int limit) {
    while (n_inflight < limit && n_next < o_n) { conn *c = &C[n_next++]; conn_start(c); }
    if (n_failed_now && n_next >= o_n) { uint64_t now = mono_us(); int left = 0; for (int i = 0; i < o_n; i++) if (C[i].st == S_IDLE) { if (n_inflight < limit && C[i].retry_at <= now) conn_start(&C[i]); if (C[i].st == S_IDLE) left++; } n_failed_now = left; }
}
static void send_heartbeats(void) { for (int i = 0; i < o_n; i++) if (C[i].st == S_READY && !C[i].slow && o_proto == P_WS) ws_send(&C[i], 1, o_hb, strlen(o_hb)); }

// ---------------------------------------------------------------- publisher (HTTP POST over keep-alive)
static char *expand(const char *t, uint64_t us, uint64_t seq, size_t *len) {   // %T microseconds, %N sequence, %P padding to the payload size
    static char out[1 << 20]; size_t o = 0;
    for (const char *p = t; *p && o < sizeof out - 4096; p++) {
        if (*p == '%' && p[1] == 'T') { o += sprintf(out + o, "%llu", (unsigned long long)us); p++; }
        else if (*p == '%' && p[1] == 'N') { o += sprintf(out + o, "%llu", (unsigned long long)seq); p++; }
        else if (*p == '%' && p[1] == 'P') { int k = o_payload; if (k > 900000) k = 900000; memset(out + o, 'x', k); o += k; p++; }
        else if (*p == '%' && p[1] == 'L') { out[o++] = '\n'; p++; }
        else if (*p == '%' && p[1] == '%') { out[o++] = '%'; p++; }
        else out[o++] = *p;
    }
    *len = o; return out;
}
static int pub_connect(int port, int nonblock) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1; struct sockaddr_in a = dst; a.sin_port = htons(port);
    if (connect(fd, (void *)&a, sizeof a) < 0) { close(fd); return -1; }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (nonblock) fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}
static char pubreq[1 << 21];
static int pub_build(const char *path, char **hdr, int nh, const char *body, size_t blen) {
    int n = snprintf(pubreq, sizeof pubreq, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n", "POST", path, o_hosthdr ? o_hosthdr : o_host, blen); int ct = 0;
    for (int i = 0; i < nh; i++) { n += snprintf(pubreq + n, sizeof pubreq - n, "%s\r\n", hdr[i]); ct |= !strncasecmp(hdr[i], "content-type:", 13); }
    if (!ct) n += snprintf(pubreq + n, sizeof pubreq - n, "Content-Type: application/json\r\n");
    n += snprintf(pubreq + n, sizeof pubreq - n, "\r\n"); memcpy(pubreq + n, body, blen); return n + blen;
}
// how many bytes the first complete HTTP response in b takes; 0 if not complete; status in *code
static size_t resp_len(char *b, size_t n, int *code) {
    char *e = memmem(b, n, "\r\n\r\n", 4); if (!e) return 0; size_t h = e + 4 - b; *code = n > 12 ? atoi(b + 9) : 0; char sv = *e; *e = 0; char *cl = strcasestr(b, "\r\ncontent-length:"); char *te = strcasestr(b, "\r\ntransfer-encoding: chunked"); *e = sv;
    if (te) { char *z = memmem(b + h - 2, n - h + 2, "\r\n0\r\n\r\n", 7); return z ? (size_t)(z + 7 - b) : 0; }
    size_t L = cl ? strtoull(cl + 17, 0, 10) : 0; return n >= h + L ? h + L : 0;
}

// ---------------------------------------------------------------- closed loop
static int closed_fd = -1, closed_out; static uint64_t closed_sent, closed_ok, closed_bad, closed_base, closed_last, closed_timeouts; static char crb[1 << 16]; static size_t crh;
static void closed_open(void) {
    closed_fd = pub_connect(o_pub_port ? o_pub_port : o_port, 1); if (closed_fd < 0) die("closed loop: cannot connect to the publish port");
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = 0xffffffffu}; epoll_ctl(ep, EPOLL_CTL_ADD, closed_fd, &e); crh = 0; closed_out = 0;
}
static void closed_recv(void) {
    if (closed_fd < 0) return;
    ssize_t r = recv(closed_fd, crb + crh, sizeof crb - crh, 0); if (r > 0) crh += r; else if (r == 0) { close(closed_fd); closed_open(); return; } else return;
    size_t u; int code; while (crh && (u = resp_len(crb, crh, &code))) { if (code / 100 == 2) closed_ok++; else if (!closed_bad++) fprintf(stderr, "fanload: publish answer %.200s\n", crb); memmove(crb, crb + u, crh - u); crh -= u; closed_out = 0; }
}
static void closed_step(int n_slow) {
    int live = n_ready - n_slow; if (closed_fd < 0 || closed_out || live <= 0) return;
    uint64_t now = mono_us(), got = total_msgs - closed_base; int stuck = closed_sent && now - closed_last > 2000000;   // messages lost: go on after 2 s
    if (closed_sent * live >= got + (uint64_t)o_closed * live && !stuck) return;
    if (stuck) { closed_timeouts++; closed_base = total_msgs; closed_sent = 0; }
    size_t bl; char *b = expand(o_pub_body, wall_us(), closed_ok, &bl); int n = pub_build(o_pub_path, o_pub_hdr, o_npubhdr, b, bl);
    if (send(closed_fd, pubreq, n, MSG_NOSIGNAL) == n) { closed_sent++; closed_out = 1; closed_last = now; }
}

static int start_child(const char *cmd) { int p = fork(); if (p == 0) { setpgid(0, 0); dup2(2, 1); execl("/bin/sh", "sh", "-c", cmd, (char *)0); _exit(127); } return p; }

static void usage_text(void) {
    fprintf(stderr,
"fanload ws|sse|stream  subscribers:\n"
"  --host A --port P --path /x   server (default 127.0.0.1:80/)      -H 'Name: v'  extra request header (repeat)\n"
"  -n N        connections (100)      -d SEC   measured window (10)   --settle SEC  pause before it (2)\n"
"  --send TXT  text frame sent by each connection after the WS handshake (%%I = connection number is NOT expanded)\n"
"  --ready-on STR  a connection counts as ready only after a message containing STR\n"
"  --marker STR    what stands before the microseconds (default \"t\":)   --no-marker  count every message, no latency\n"
"  --eio           Socket.IO v4/5 over websocket: answers 0 with 40, 2 with 3\n"
"  --reply IN=OUT  answers a text message equal to IN with OUT (Centrifugo ping: --reply '{}={}')\n"
"  --heartbeat SEC TXT   each connection sends TXT every SEC\n"
"  --inflight K    at most K handshakes under way (64)   --src K  source addresses 127.0.0.2.. (4; 0 = do not bind)\n"
"  --slow F        fraction of clients that stop reading when ready   --rcvbuf B   SO_RCVBUF of all clients\n"
"  --slow-resume   slow readers start to read again at the end, for 10 s; counts what they still got\n"
"  --pid P[,P]     server processes (descendants are included): CPU and memory in the result\n"
"  --on-ready CMD  shell command started when all are ready, stopped (SIGTERM to its group) at the end\n"
"  --storm         after the window drop all connections and reconnect all at once; --storm-inflight K (all)\n"
"                  --storm-rst (reset instead of FIN)   --storm-timeout SEC (60)\n"
"  --closed W --pub-port P --pub-path /x --pub-body TPL [--pub-header H]   closed loop: keeps W broadcasts in flight\n"
"  --deflate  offer permessage-deflate (ws) / gzip (sse)     --conn-timeout SEC (60)    --label TXT   -v\n"
"fanload pub  publisher:\n"
"  --host A --port P --path /x --body TPL [-H h] --rate R -d SEC   POSTs TPL; %%T = microseconds, %%N = number, %%P = padding, %%L = newline\n"
"  --payload N   length of %%P (200)      --stdout   writes the lines to standard output instead of POSTing\n");
    exit(2);
}
static void add_pids(const char *s) { while (*s) { o_pids[o_npids++] = strtol(s, (char **)&s, 10); if (*s == ',') s++; else break; } }

static int main_pub(double rate, int tostdout) {
    signal(SIGPIPE, SIG_IGN); static hist ack; uint64_t start = mono_us(), end = start + o_dur * 1e6, sent = 0, ok = 0, bad = 0, err = 0, lagmax = 0; int fd = -1; static char rb[1 << 20]; int lastcode = 0;
    if (!o_body) die("pub needs --body");
    for (uint64_t k = 0;; k++) {
        uint64_t due = start + (uint64_t)(k * 1e6 / rate), now = mono_us(); if (due >= end) break;
        if (now < due) { struct timespec ts = {(due - now) / 1000000, (due - now) % 1000000 * 1000}; nanosleep(&ts, 0); now = mono_us(); }
        if (now > end) break;
        if (now - due > lagmax) lagmax = now - due;
        size_t bl; char *b = expand(o_body, wall_us(), k, &bl);
        if (tostdout) { b[bl] = '\n'; if (write(1, b, bl + 1) < 0) break; sent++; ok++; continue; }
        if (fd < 0 && (fd = pub_connect(o_port, 0)) < 0) { err++; usleep(100000); continue; }
        int n = pub_build(o_path, o_hdr, o_nhdr, b, bl); uint64_t t = mono_us();
        if (send(fd, pubreq, n, MSG_NOSIGNAL) != n) { close(fd); fd = -1; err++; continue; }
        sent++; size_t have = 0, used = 0; int code = 0;
        while (!(used = resp_len(rb, have, &code))) { ssize_t r = recv(fd, rb + have, sizeof rb - have, 0); if (r <= 0) { close(fd); fd = -1; break; } have += r; }
        if (used) { hadd(&ack, mono_us() - t); lastcode = code; if (code / 100 == 2) ok++; else { if (!bad++) fprintf(stderr, "fanload pub: answer: %.300s\n", rb); } if (memmem(rb, used, "onnection: close", 16)) { close(fd); fd = -1; } } else err++;
    }
    FILE *f = tostdout ? stderr : stdout;
    fprintf(f, "{\"mode\":\"pub\",\"sent\":%llu,\"ok\":%llu,\"not_2xx\":%llu,\"errors\":%llu,\"last_code\":%d,\"seconds\":%.3f,\"max_lag_ms\":%.3f,", (unsigned long long)sent, (unsigned long long)ok, (unsigned long long)bad, (unsigned long long)err, lastcode, (mono_us() - start) / 1e6, lagmax / 1e3);
    hjson(f, "ack_ms", &ack); fprintf(f, "}\n"); return 0;
}

static int child; static void on_term(int s) { (void)s; if (child > 0) kill(-child, SIGTERM); _exit(3); }

int main(int argc, char **argv) {
    if (argc < 2) usage_text();
    int pubmode = !strcmp(argv[1], "pub"), tostdout = 0; double rate = 1;
    if (!strcmp(argv[1], "ws")) o_proto = P_WS; else if (!strcmp(argv[1], "sse")) o_proto = P_SSE; else if (!strcmp(argv[1], "stream")) o_proto = P_STREAM; else if (!pubmode) usage_text();
    for (int i = 2; i < argc; i++) {
        char *a = argv[i];
#define ARG(name) (!strcmp(a, name) && (i + 1 < argc || (usage_text(), 0)))
        if (ARG("--host")) o_host = argv[++i]; else if (ARG("--port")) o_port = atoi(argv[++i]); else if (ARG("--path")) o_path = argv[++i];
        else if (ARG("-n")) o_n = atoi(argv[++i]); else if (ARG("-d")) o_dur = atof(argv[++i]); else if (ARG("--settle")) o_settle = atof(argv[++i]);
        else if (ARG("--send")) o_send = argv[++i]; else if (ARG("--send2")) o_send2 = argv[++i]; else if (ARG("--ready-on")) o_ready = argv[++i]; else if (ARG("--marker")) o_marker = argv[++i];
        else if (!strcmp(a, "--no-marker")) o_nomarker = 1; else if (!strcmp(a, "--eio")) o_eio = 1; else if (ARG("-H")) o_hdr[o_nhdr++] = argv[++i];
        else if (ARG("--reply")) { char *s = strdup(argv[++i]), *e = strchr(s, '='); if (!e) usage_text(); *e = 0; o_reply_in = s; o_reply_out = e + 1; }
        else if (!strcmp(a, "--heartbeat") && i + 2 < argc) { o_hb_every = atof(argv[++i]); o_hb = argv[++i]; }
        else if (ARG("--inflight")) o_inflight = atoi(argv[++i]); else if (ARG("--src")) o_src = atoi(argv[++i]); else if (ARG("--slow")) o_slow = atof(argv[++i]);
        else if (ARG("--rcvbuf")) o_rcvbuf = atoi(argv[++i]); else if (ARG("--pid")) add_pids(argv[++i]); else if (ARG("--on-ready")) o_onready = argv[++i];
        else if (!strcmp(a, "--slow-resume")) o_slow_resume = 1;
        else if (!strcmp(a, "--storm")) o_storm = 1; else if (ARG("--storm-inflight")) o_storm_inflight = atoi(argv[++i]); else if (!strcmp(a, "--storm-rst")) o_storm_fin = 0; else if (ARG("--storm-timeout")) o_storm_timeout = atof(argv[++i]);
        else if (ARG("--closed")) o_closed = atoi(argv[++i]); else if (ARG("--pub-port")) o_pub_port = atoi(argv[++i]); else if (ARG("--pub-path")) o_pub_path = argv[++i]; else if (ARG("--pub-body")) o_pub_body = argv[++i]; else if (ARG("--pub-header")) o_pub_hdr[o_npubhdr++] = argv[++i];
        else if (!strcmp(a, "--deflate")) { o_deflate = o_gzip = 1; } else if (ARG("--conn-timeout")) o_conn_timeout = atof(argv[++i]); else if (!strcmp(a, "-v")) o_verbose = 1; else if (ARG("--label")) o_label = argv[++i];
        else if (ARG("--rate")) rate = atof(argv[++i]); else if (ARG("--body")) o_body = argv[++i]; else if (ARG("--payload")) o_payload = atoi(argv[++i]); else if (!strcmp(a, "--stdout")) tostdout = 1; else if (ARG("--host-header")) o_hosthdr = argv[++i];
        else { fprintf(stderr, "unknown option %s\n", a); usage_text(); }
    }
    dst.sin_family = AF_INET; dst.sin_port = htons(o_port); if (inet_pton(AF_INET, o_host, &dst.sin_addr) != 1) die("--host must be an IPv4 address");
    if (pubmode) return main_pub(rate, tostdout);
    o_marker_len = strlen(o_marker); o_ready_len = o_ready ? strlen(o_ready) : 0;
    struct rlimit rl = {o_n + 1000, o_n + 1000}, cur; getrlimit(RLIMIT_NOFILE, &cur); if (cur.rlim_cur < rl.rlim_cur) { if (cur.rlim_max > rl.rlim_max) rl.rlim_max = cur.rlim_max; if (setrlimit(RLIMIT_NOFILE, &rl)) { rl.rlim_cur = rl.rlim_max = cur.rlim_max; setrlimit(RLIMIT_NOFILE, &rl); } }
    signal(SIGPIPE, SIG_IGN); signal(SIGTERM, on_term); signal(SIGINT, on_term); srand(1);
    req_len = snprintf(req, sizeof req, "%s %s HTTP/1.1\r\nHost: %s\r\n", o_method, o_path, o_hosthdr ? o_hosthdr : o_host);
    if (o_proto == P_WS) { req_len += snprintf(req + req_len, sizeof req - req_len, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"); if (o_deflate) req_len += snprintf(req + req_len, sizeof req - req_len, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"); }
    else { req_len += snprintf(req + req_len, sizeof req - req_len, "Accept: %s\r\n", o_proto == P_SSE ? "text/event-stream" : "*/*"); if (o_gzip) req_len += snprintf(req + req_len, sizeof req - req_len, "Accept-Encoding: gzip\r\n"); }
    for (int i = 0; i < o_nhdr; i++) req_len += snprintf(req + req_len, sizeof req - req_len, "%s\r\n", o_hdr[i]);
    req_len += snprintf(req + req_len, sizeof req - req_len, "\r\n");
    G = malloc(Gcap); Z = malloc(Zcap); C = calloc(o_n, sizeof(conn)); for (int i = 0; i < o_n; i++) { C[i].fd = -1; C[i].idx = i; C[i].slow = o_slow > 0 && floor((i + 1) * o_slow + 1e-9) > floor(i * o_slow + 1e-9); }
    int n_slow = 0; for (int i = 0; i < o_n; i++) n_slow += C[i].slow;
    ep = epoll_create1(EPOLL_CLOEXEC); static struct epoll_event ev[1024];
    usage u_base = get_usage(1), u_ready, u_a, u_b, u_s; memset(&u_ready, 0, sizeof u_ready); memset(&u_s, 0, sizeof u_s);
    uint64_t t_begin = mono_us(), t_ready = 0, t_phase = 0, next_hb = 0; int phase = 0; double conn_s = 0; int connected_max = 0;
    uint64_t slow_resumed_msgs = 0, slow_base = 0;
    double storm_ready_s = -1, storm_first_s = -1; int storm_done_ready = 0, storm_at_end = 0, storm_first_end = 0; uint64_t storm_retries0 = 0;
    u_a = u_b = u_base;
    // phases: 0 connect, 1 settle, 2 measured window, 3 storm, 4 slow readers resume, 9 end
    for (;;) {
        uint64_t now = mono_us(); int to = 20;
        if (phase == 0) {
            pump_connects(o_inflight); if (n_ready > connected_max) connected_max = n_ready;
            if (n_ready == o_n || now - t_begin > o_conn_timeout * 1e6) {
                t_ready = mono_us(); conn_s = (t_ready - t_begin) / 1e6; connected_max = n_ready; u_ready = get_usage(1); phase = 1; t_phase = mono_us();
                fprintf(stderr, "fanload: ready %d of %d in %.2f s\n", n_ready, o_n, conn_s);
                if (o_onready) child = start_child(o_onready);
                if (o_closed) { closed_open(); closed_base = total_msgs; }
            }
            to = n_failed_now ? 10 : 20;
        } else if (phase == 1) {
            if (now - t_phase >= o_settle * 1e6) { u_a = get_usage(0); measuring = 1; phase = 2; t_phase = mono_us(); }
        } else if (phase == 2) {
            if (now - t_phase >= o_dur * 1e6) {
                measuring = 0; u_b = get_usage(1);
                if (o_storm) {
                    phase = 3; storm_retries0 = n_retries; u_s = get_usage(0); storming = 1; storm_t0 = mono_us(); t_phase = storm_t0;
                    for (int i = 0; i < o_n; i++) { conn_close(&C[i], !o_storm_fin); C[i].st = S_IDLE; } n_ready = n_inflight = 0; n_next = 0; n_failed_now = 0;
                } else if (o_slow_resume && n_slow) { phase = 4; t_phase = mono_us(); for (int i = 0; i < o_n; i++) if (C[i].slow && C[i].st == S_READY) { slow_base += C[i].msgs; set_ev(&C[i], EPOLLIN | EPOLLRDHUP, EPOLL_CTL_MOD); } }
                else phase = 9;
            }
        } else if (phase == 3) {
            pump_connects(o_storm_inflight ? o_storm_inflight : o_n);
            if (!storm_done_ready && n_ready >= o_n) { storm_done_ready = 1; storm_ready_s = (mono_us() - storm_t0) / 1e6; }
            if (storm_done_ready && storm_first >= o_n) { storm_first_s = (mono_us() - storm_t0) / 1e6; phase = 9; }
            if (now - storm_t0 > o_storm_timeout * 1e6) phase = 9;
            if (phase == 9) { storm_at_end = n_ready; storm_first_end = storm_first; usage u = get_usage(0); u_s.cpu_ns = u.cpu_ns - u_s.cpu_ns; u_s.cpu_tick = u.cpu_tick - u_s.cpu_tick; storming = 0; }
            to = 5;
        } else if (phase == 4) {
            if (now - t_phase > 10e6) { uint64_t s = 0; for (int i = 0; i < o_n; i++) if (C[i].slow) s += C[i].msgs; slow_resumed_msgs = s; phase = 9; }
        }
        if (phase == 9) break;
        if (o_closed && phase >= 1 && phase <= 2) { closed_step(n_slow); to = 1; }
        if (o_hb && phase >= 1) { if (!next_hb) next_hb = now + o_hb_every * 1e6; if (now >= next_hb) { send_heartbeats(); next_hb += o_hb_every * 1e6; } }
        int k = epoll_wait(ep, ev, 1024, to);
        for (int i = 0; i < k; i++) {
            if (ev[i].data.u32 == 0xffffffffu) closed_recv();
            else on_event(&C[ev[i].data.u32], ev[i].events);
            if (o_closed && phase >= 1 && phase <= 2 && (i & 31) == 31) { closed_recv(); closed_step(n_slow); }
        }
    }
    if (child > 0) { kill(-child, SIGTERM); }
    double secs = (u_b.t - u_a.t) / 1e6, cpu = u_b.cpu_ns > 0 ? u_b.cpu_ns - u_a.cpu_ns : u_b.cpu_tick - u_a.cpu_tick;
    struct rusage ru; getrusage(RUSAGE_SELF, &ru);
    printf("{\"label\":\"%s\",\"proto\":\"%s\",\"n\":%d,\"connected\":%d,\"failed\":%d,\"connect_s\":%.3f,\"retries\":%llu,\"http_errors\":%llu,", o_label ? o_label : "", argv[1], o_n, connected_max, o_n - connected_max, conn_s, (unsigned long long)n_retries, (unsigned long long)n_err_http);
    hjson(stdout, "handshake_ms", &H_conn);
    printf(",\"seconds\":%.3f,\"messages\":%llu,\"frames\":%llu,\"unmarked\":%llu,\"payload_bytes\":%llu,\"wire_bytes\":%llu,\"msgs_per_s\":%.1f,\"frames_per_s\":%.1f,\"disconnected\":%llu,\"slow_clients\":%d,\"slow_disconnected\":%llu,\"pings\":%llu,",
           secs, (unsigned long long)c_msgs, (unsigned long long)c_frames, (unsigned long long)c_unmarked, (unsigned long long)c_bytes, (unsigned long long)c_raw, c_msgs / secs, c_frames / secs, (unsigned long long)n_disc, n_slow, (unsigned long long)n_disc_slow, (unsigned long long)n_pings);
    hjson(stdout, "latency_ms", &H_lat);
    printf(",\"latency_negative\":%llu,\"client_cpu_s\":%.3f", (unsigned long long)H_lat.neg, ru.ru_utime.tv_sec + ru.ru_stime.tv_sec + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
    if (o_npids) {
        printf(",\"server\":{\"procs\":%d,\"cpu_s\":%.4f,\"cpu_ticks_s\":%.2f,\"user_s\":%.2f,\"sys_s\":%.2f,\"cpu_pct\":%.1f,\"cpu_us_per_msg\":%.3f,\"cpu_us_per_frame\":%.3f,\"rss_base_kb\":%ld,\"rss_ready_kb\":%ld,\"rss_end_kb\":%ld,\"pss_base_kb\":%ld,\"pss_ready_kb\":%ld,\"pss_end_kb\":%ld,\"rss_per_conn_b\":%.0f,\"pss_per_conn_b\":%.0f}",
               u_b.procs, cpu, u_b.cpu_tick - u_a.cpu_tick, u_b.user - u_a.user, u_b.sys - u_a.sys, 100 * cpu / secs, c_msgs ? cpu * 1e6 / c_msgs : 0, c_frames ? cpu * 1e6 / c_frames : 0, u_base.rss, u_ready.rss, u_b.rss, u_base.pss, u_ready.pss, u_b.pss, connected_max ? (u_ready.rss - u_base.rss) * 1024.0 / connected_max : 0, connected_max ? (u_ready.pss - u_base.pss) * 1024.0 / connected_max : 0);
    }
    printf(",\"core_busy_s\":[%.2f,%.2f],\"core_softirq_s\":[%.2f,%.2f],\"tcp_mem_kb\":[%ld,%ld,%ld]", u_b.core_busy[0] - u_a.core_busy[0], u_b.core_busy[1] - u_a.core_busy[1], u_b.core_soft[0] - u_a.core_soft[0], u_b.core_soft[1] - u_a.core_soft[1], u_base.tcpmem, u_ready.tcpmem, u_b.tcpmem);
    if (o_closed) printf(",\"closed\":{\"window\":%d,\"published_ok\":%llu,\"not_2xx\":%llu,\"timeouts\":%llu}", o_closed, (unsigned long long)closed_ok, (unsigned long long)closed_bad, (unsigned long long)closed_timeouts);
    if (o_slow_resume) printf(",\"slow_resumed_msgs\":%lld", (long long)(slow_resumed_msgs - slow_base));
    if (o_storm) { printf(",\"storm\":{\"all_connected_s\":%.3f,\"all_receiving_s\":%.3f,\"connected\":%d,\"receiving\":%d,\"retries\":%llu,\"server_cpu_s\":%.3f,", storm_ready_s, storm_first_s, storm_at_end, storm_first_end, (unsigned long long)(n_retries - storm_retries0), u_s.cpu_ns > 0 ? u_s.cpu_ns : u_s.cpu_tick); hjson(stdout, "ready_ms", &H_sready); printf(","); hjson(stdout, "first_msg_ms", &H_sfirst); printf("}"); }
    printf("}\n"); fflush(stdout);
    for (int i = 0; i < o_n; i++) conn_close(&C[i], 1);
    if (child > 0) { int st; for (int i = 0; i < 20; i++) { if (waitpid(child, &st, WNOHANG) == child) break; usleep(50000); } }
    return 0;
}
