// SPDX-License-Identifier: Apache-2.0
// A small protobuf reader. Fields are found by their numbers in onnx.proto: ModelProto.graph 7;
// GraphProto.node 1; NodeProto.op_type 4, .attribute 5; AttributeProto.name 1, .i 3, .ints 8;
// TensorProto.dims 1, .data_type 2, .float_data 4, .int32_data 5, .raw_data 9.
#include "onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const uint8_t *at, *end;
} reader;

typedef struct field {
    uint32_t number, wire;
    uint64_t value; // wire types 0, 1 and 5
    reader bytes;   // wire type 2
} field;

static bool read_varint(reader *r, uint64_t *ret) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && r->at < r->end; shift += 7) {
        const uint8_t byte = *r->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool read_fixed(reader *r, size_t bytes, uint64_t *ret) {
    if ((size_t)(r->end - r->at) < bytes) return false;
    *ret = 0;
    for (size_t i = 0; i < bytes; i++) *ret |= (uint64_t)r->at[i] << 8 * i;
    r->at += bytes;
    return true;
}

/// The next field; false at the end and where the message is malformed (then `at` is not `end`).
static bool read_field(reader *r, field *f) {
    uint64_t key, length;
    if (r->at == r->end || !read_varint(r, &key)) return false;
    *f = (field){.number = (uint32_t)(key >> 3), .wire = (uint32_t)(key & 7)};
    if (f->wire == 0) return read_varint(r, &f->value);
    if (f->wire == 1) return read_fixed(r, 8, &f->value);
    if (f->wire == 5) return read_fixed(r, 4, &f->value);
    if (f->wire != 2 || !read_varint(r, &length) || length > (uint64_t)(r->end - r->at))
        return false;
    f->bytes = (reader){r->at, r->at + length};
    r->at += length;
    return true;
}

static void copy_text(reader from, char *text, size_t capacity) {
    const size_t length =
        (size_t)(from.end - from.at) < capacity ? (size_t)(from.end - from.at) : capacity - 1;
    memcpy(text, from.at, length);
    text[length] = 0;
}

/// A repeated integer: one value, or many packed.
static bool append_ints(const field *f, int64_t *values, uint32_t max, uint32_t *count) {
    reader packed = f->bytes;
    uint64_t value = f->value;
    if (f->wire == 0) {
        if (*count == max) return false;
        values[(*count)++] = (int64_t)value;
        return true;
    }
    while (packed.at < packed.end) {
        if (*count == max || !read_varint(&packed, &value)) return false;
        values[(*count)++] = (int64_t)value;
    }
    return true;
}

static size_t element_bytes(int32_t type) {
    return type == ONNX_FLOAT || type == ONNX_INT32  ? 4
           : type == ONNX_UINT8 || type == ONNX_INT8 ? 1
                                                     : 0;
}

/// Integers that stand as varints become elements of their type.
static bool unpack_ints(reader packed, onnx_tensor *t) {
    for (size_t i = 0; i < t->count; i++) {
        uint64_t value;
        if (!read_varint(&packed, &value)) return false;
        const int32_t narrow = (int32_t)value;
        if (element_bytes(t->type) == 1) ((uint8_t *)t->data)[i] = (uint8_t)narrow;
        else memcpy((int32_t *)t->data + i, &narrow, sizeof narrow);
    }
    return packed.at == packed.end;
}

static bool parse_tensor(reader r, onnx_tensor *t) {
    reader raw = {NULL, NULL}, ints = {NULL, NULL};
    field f;
    while (read_field(&r, &f)) {
        if (f.number == 1 && !append_ints(&f, t->dims, ONNX_MAX_DIMS, &t->n_dims)) return false;
        if (f.number == 2) t->type = (int32_t)f.value;
        if ((f.number == 4 || f.number == 9) && f.wire == 2) raw = f.bytes;
        if (f.number == 5 && f.wire == 2) ints = f.bytes;
    }
    t->count = 1;
    for (uint32_t i = 0; i < t->n_dims; i++) {
        if (t->dims[i] < 0 || t->dims[i] > 1 << 20) return false;
        t->count *= (size_t)t->dims[i];
    }
    const size_t bytes = t->count * element_bytes(t->type);
    if (r.at != r.end || bytes == 0 || bytes > 1 << 24) return false;
    t->data = malloc(bytes);
    if (!t->data) return false;
    if (ints.at) return unpack_ints(ints, t);
    if ((size_t)(raw.end - raw.at) != bytes) return false;
    memcpy(t->data, raw.at, bytes); // little-endian, as all machines that Quernel runs on
    return true;
}

static bool parse_attribute(reader r, onnx_attribute *a) {
    field f;
    while (read_field(&r, &f)) {
        if (f.number == 1 && f.wire == 2) copy_text(f.bytes, a->name, sizeof a->name);
        if ((f.number == 3 || f.number == 8) &&
            !append_ints(&f, a->values, ONNX_MAX_INTS, &a->count))
            return false;
    }
    return r.at == r.end;
}

static bool parse_node(reader r, onnx_case *c) {
    field f;
    while (read_field(&r, &f)) {
        if (f.number == 4 && f.wire == 2) copy_text(f.bytes, c->op, sizeof c->op);
        if (f.number != 5 || f.wire != 2) continue;
        if (c->n_attributes == sizeof c->attributes / sizeof *c->attributes) return false;
        if (!parse_attribute(f.bytes, &c->attributes[c->n_attributes++])) return false;
    }
    return r.at == r.end;
}

/// The message in field `number` of a message, the first one.
static bool first_message(reader r, uint32_t number, reader *ret) {
    field f;
    while (read_field(&r, &f)) {
        if (f.number != number || f.wire != 2) continue;
        *ret = f.bytes;
        return true;
    }
    return false;
}

static uint8_t *read_file(const char *path, size_t *ret_bytes) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    enum { MAX = 1 << 20 };
    uint8_t *data = malloc(MAX);
    *ret_bytes = data ? fread(data, 1, MAX, file) : 0;
    fclose(file);
    return data;
}

static bool read_tensor(const char *folder, const char *kind, uint32_t i, onnx_tensor *t) {
    char path[512];
    size_t bytes;
    snprintf(path, sizeof path, "%s/test_data_set_0/%s_%u.pb", folder, kind, i);
    uint8_t *data = read_file(path, &bytes);
    const bool read = data && parse_tensor((reader){data, data + bytes}, t);
    free(data);
    return read;
}

static bool read_model(const char *folder, onnx_case *c) {
    char path[512];
    size_t bytes;
    reader graph, node;
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    uint8_t *data = read_file(path, &bytes);
    const bool read = data && first_message((reader){data, data + bytes}, 7, &graph) &&
                      first_message(graph, 1, &node) && parse_node(node, c);
    free(data);
    return read;
}

bool onnx_read(const char *folder, onnx_case *c) {
    memset(c, 0, sizeof *c);
    bool read = read_model(folder, c);
    while (read && c->n_inputs < ONNX_MAX_INPUTS &&
           read_tensor(folder, "input", c->n_inputs, &c->inputs[c->n_inputs])) {
        c->n_inputs++;
    }
    while (read && c->n_outputs < ONNX_MAX_OUTPUTS &&
           read_tensor(folder, "output", c->n_outputs, &c->outputs[c->n_outputs])) {
        c->n_outputs++;
    }
    if (read && c->n_inputs && c->n_outputs) return true;
    onnx_free(c);
    return false;
}

void onnx_free(onnx_case *c) {
    for (uint32_t i = 0; i < ONNX_MAX_INPUTS; i++) free(c->inputs[i].data);
    for (uint32_t i = 0; i < ONNX_MAX_OUTPUTS; i++) free(c->outputs[i].data);
    memset(c, 0, sizeof *c);
}

int64_t onnx_int(const onnx_case *c, const char *name, uint32_t i, int64_t otherwise) {
    for (uint32_t a = 0; a < c->n_attributes; a++) {
        if (strcmp(c->attributes[a].name, name) == 0 && i < c->attributes[a].count)
            return c->attributes[a].values[i];
    }
    return otherwise;
}
