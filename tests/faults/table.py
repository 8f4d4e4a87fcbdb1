# SPDX-License-Identifier: BSD-2-Clause
"""Which errno a call may give while it runs, by its manual page of Linux.

Left out are those that only a mistake in the program gives: EBADF, EFAULT,
EINVAL, ENOTSOCK, EISCONN, EALREADY, EDESTADDRREQ, EOPNOTSUPP, ECHILD, EEXIST and
ENOENT of epoll_ctl, ESRCH of a process that is our own. Added are those that
Linux gives though the page does not name them: ENOMEM of epoll_wait, getsockopt
and setsockopt (SCTP allocates in them), EMFILE and ENFILE of getsockopt (it is
how an association is peeled off), and EINTR and EAGAIN of timerfd_settime,
which a sandbox may give."""
import errno

FILE = "EACCES EIO ELOOP ENOMEM ENOSPC EPERM EROFS"
MANY = "EMFILE ENFILE"
RECEIVE = "EAGAIN ECONNREFUSED EINTR ENOBUFS ENOMEM ENOTCONN"
SEND = "EACCES EAGAIN ECONNRESET EINTR EMSGSIZE ENOBUFS ENOMEM ENOTCONN EPIPE"

ERRORS = {
    "accept4": f"EAGAIN ECONNABORTED EINTR {MANY} ENOBUFS ENOMEM EPERM EPROTO ENETDOWN EHOSTUNREACH",
    "access": "EACCES EIO ELOOP ENOENT ENOMEM EROFS",
    "bind": "EACCES EADDRINUSE EADDRNOTAVAIL ENOMEM EROFS",
    "chmod": FILE,
    "chown": FILE,
    "close": "EINTR EIO ENOSPC EDQUOT",
    "connect": "EACCES EPERM EADDRINUSE EADDRNOTAVAIL EAGAIN ECONNREFUSED EINTR ENETUNREACH ETIMEDOUT",
    "dup": "EMFILE",
    "dup2": "EBUSY EINTR EMFILE",
    "epoll_create1": f"{MANY} ENOMEM",
    "epoll_ctl": "ENOMEM ENOSPC",
    "epoll_wait": "EINTR ENOMEM",
    "eventfd": f"{MANY} ENODEV ENOMEM",
    "execv": f"{MANY} E2BIG EACCES EAGAIN EIO ENOENT ENOMEM EPERM ETXTBSY",
    "fcntl": "EAGAIN EINTR EMFILE",
    "flock": "EINTR ENOLCK EWOULDBLOCK",
    "fork": "EAGAIN ENOMEM",
    "fstat": "ENOMEM EOVERFLOW",
    "fstatfs": "EINTR EIO ENOMEM ENOSYS",
    "ftruncate": "EFBIG EINTR EIO ENOSPC EPERM",
    "getifaddrs": f"{MANY} ENOBUFS ENOMEM",
    "getrandom": "EAGAIN EINTR",
    "getrlimit": "EPERM",
    "getsockname": "ENOBUFS",
    "getsockopt": f"{MANY} ENOMEM ENOPROTOOPT",
    "kill": "EPERM ESRCH",
    "listen": "EADDRINUSE",
    "lstat": "EACCES ELOOP ENOENT ENOMEM",
    "madvise": "EAGAIN EIO ENOMEM EPERM",
    "memfd_create": f"{MANY} ENOMEM EPERM",
    "mkdir": FILE,
    "mmap": "EAGAIN ENFILE ENODEV ENOMEM EPERM",
    "mremap": "EAGAIN ENOMEM",
    "munmap": "ENOMEM",
    "open": f"{FILE} {MANY} EINTR",
    "pipe2": MANY,
    "poll": "EINTR ENOMEM",
    "prctl": "EPERM",
    "pthread_create": "EAGAIN EPERM",
    "read": "EAGAIN EINTR EIO",
    "recv": RECEIVE,
    "recvmmsg": RECEIVE,
    "recvmsg": RECEIVE,
    "rename": f"{FILE} EDQUOT",
    "sched_getscheduler": "ESRCH",
    "sched_setscheduler": "EPERM",
    "send": SEND,
    "sendmmsg": SEND,
    "sendmsg": f"{SEND} ETOOMANYREFS",
    "setns": "ENOMEM EPERM",
    "setresgid": "EAGAIN EPERM",
    "setresuid": "EAGAIN EPERM",
    "setrlimit": "EPERM",
    "setsockopt": "EACCES ENOMEM ENOPROTOOPT EPERM",
    "shutdown": "ENOTCONN",
    "signalfd": f"{MANY} ENODEV ENOMEM",
    "socket": f"{MANY} EACCES EAFNOSUPPORT ENOBUFS ENOMEM EPROTONOSUPPORT",
    "socketpair": f"{MANY} EAFNOSUPPORT EPROTONOSUPPORT",
    "stat": "EACCES ELOOP ENOENT ENOMEM",
    "timerfd_create": f"{MANY} ENODEV ENOMEM EPERM",
    "timerfd_settime": "EAGAIN ECANCELED EINTR EPERM",
    "unlink": FILE,
    "waitpid": "EINTR",
    "write": "EAGAIN EDQUOT EFBIG EINTR EIO ENOSPC EPIPE",
}

# System calls that libc has under another name, or with much around it.
OTHER_NAMES = {"send", "recv", "fork", "waitpid", "getifaddrs", "pthread_create", "sched_getscheduler"}
# Nothing that they give is an error at run time.
CANNOT_FAIL = {"clock_gettime", "exit", "_exit", "getpid", "getppid", "geteuid", "time", "umask", "uname"}


def errors(call):
    return [getattr(errno, e) for e in ERRORS[call].split()]
