// SPDX-License-Identifier: Apache-2.0
// Files are mapped for reading alone: what is not used is never read, and processes share it.
#define _GNU_SOURCE // asprintf
#include "payload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE = 64 }; // the alignment that the compiler asks for: a cache line

OrtStatus *quernel_ep_payload_allocate(const OrtApi *api, size_t bytes,
                                       quernel_ep_payload *ret_payload) {
    const size_t rounded = (bytes + LINE - 1) / LINE * LINE;
    void *data = rounded < bytes ? NULL : aligned_alloc(LINE, rounded ? rounded : LINE);
    if (!data) return quernel_ep_refuse_memory(api);
    *ret_payload = (quernel_ep_payload){data, bytes, false};
    return NULL;
}

static OrtStatus *refuse_file(const OrtApi *api, const char *path, const char *what) {
    return quernel_ep_refuse(api, ORT_FAIL, "%s: cannot be %s: %s", path, what, strerror(errno));
}

static OrtStatus *map_opened(const OrtApi *api, const char *path, int file,
                             quernel_ep_payload *ret_payload) {
    struct stat facts;
    if (fstat(file, &facts)) return refuse_file(api, path, "looked at");
    if (!S_ISREG(facts.st_mode) || facts.st_size <= 0)
        return quernel_ep_refuse(api, ORT_FAIL, "%s: is empty or no file", path);
    const size_t bytes = (size_t)facts.st_size;
    void *data = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) return refuse_file(api, path, "mapped");
    *ret_payload = (quernel_ep_payload){data, bytes, true};
    return NULL;
}

OrtStatus *quernel_ep_payload_map(const OrtApi *api, const char *path,
                                  quernel_ep_payload *ret_payload) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return refuse_file(api, path, "opened");
    OrtStatus *status = map_opened(api, path, file, ret_payload);
    close(file);
    return status;
}

static int write_all(int file, const char *data, size_t bytes) {
    while (bytes) {
        const ssize_t done = write(file, data, bytes);
        if (done < 0 && errno != EINTR) return -1;
        if (done <= 0) continue;
        data += done;
        bytes -= (size_t)done;
    }
    return 0;
}

static int write_as(const char *path, const char *temporary, const void *data, size_t bytes) {
    const int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); // less umask
    if (file < 0) return -1;
    int wrong = write_all(file, data, bytes);
    wrong = close(file) || wrong || rename(temporary, path);
    if (!wrong) return 0;
    const int reason = errno;
    unlink(temporary);
    errno = reason;
    return -1;
}

OrtStatus *quernel_ep_payload_write(const OrtApi *api, const char *path, const void *data,
                                    size_t bytes) {
    static atomic_uint writes;
    char *temporary;
    if (asprintf(&temporary, "%s.%ld-%u", path, (long)getpid(), writes++) < 0)
        return quernel_ep_refuse_memory(api);
    OrtStatus *status =
        write_as(path, temporary, data, bytes) ? refuse_file(api, path, "written") : NULL;
    free(temporary);
    return status;
}

void quernel_ep_payload_free(quernel_ep_payload *payload) {
    if (payload->mapped) munmap(payload->data, payload->bytes);
    else free(payload->data);
    *payload = (quernel_ep_payload){0};
}
