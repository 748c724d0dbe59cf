// SPDX-License-Identifier: Apache-2.0
// Rows: parsed strictly, printed so that they parse again.
#include "table/row.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"

static const char tag[] = "qtn1";
static const char *const verdicts[] = {"default", "tie", "win"};
static const char *const efforts[] = {"estimate", "measure", "patient", "exhaustive"};
enum { VERDICTS = sizeof verdicts / sizeof *verdicts, EFFORTS = sizeof efforts / sizeof *efforts };
_Static_assert(VERDICTS == QUERNEL_VERDICT_WIN + 1 && EFFORTS == QUERNEL_EFFORT_EXHAUSTIVE + 1,
               "a name for each value, in the order of the enum");

// The fields of a line in the order of tune/FORMAT.md; between the last one and the checksum are
// those of later versions.
enum {
    TAG,
    OP,
    SHAPE,
    PRODUCT,
    ENV,
    CONFIG,
    KREV,
    BASE_NS,
    BEST_NS,
    RATIO,
    LO,
    HI,
    ROUNDS,
    VERDICT,
    EFFORT,
    SEED,
    VERSION,
    DATE,
    MACHINE,
    RATES,
    LOST,
    FIELDS
};
enum { CRC_DIGITS = 8 };

const char *quernel_i_row_verdict_name(int32_t v) {
    return v >= 0 && v < VERDICTS ? verdicts[v] : "unknown";
}
const char *quernel_i_row_effort_name(int32_t e) {
    return e >= 0 && e < EFFORTS ? efforts[e] : "unknown";
}

// The index of `text` among the words.
static bool parse_word(const char *text, const char *const *words, int count, int32_t *ret) {
    for (int i = 0; i < count; i++)
        if (!strcmp(text, words[i])) return *ret = i, true;
    return false;
}

int32_t quernel_i_row_effort_parse(const char *name) {
    int32_t effort = -1;
    parse_word(name, efforts, EFFORTS, &effort);
    return effort;
}

// A decimal integer up to `max`, followed by `end`: no sign, no space.
static bool read_integer(const char *text, char end, uint64_t max, uint64_t *ret,
                         const char **ret_end) {
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (value > (max - (uint64_t)(*at - '0')) / 10) return false;
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (at == text || *at != end) return false;
    *ret = value;
    if (ret_end) *ret_end = at + 1;
    return true;
}

static bool read_u32(const char *text, uint32_t *ret) {
    uint64_t wide;
    if (!read_integer(text, 0, UINT32_MAX, &wide, NULL)) return false;
    *ret = (uint32_t)wide;
    return true;
}

// Digits with at most one point among them: no sign, no exponent, whatever the locale.
static bool read_decimal(const char *text, double *ret) {
    double value = 0, unit = 0;
    const char *at = text;
    for (; *at; at++) {
        if (*at == '.' && !unit && at > text) unit = 1;
        else if (*at >= '0' && *at <= '9' && at - text < 18)
            value = value * 10 + (*at - '0'), unit *= 10;
        else return false;
    }
    *ret = unit ? value / unit : value;
    return at > text;
}

static bool read_product(const char *text, quernel_i_row *row) {
    // No operator that fits into memory comes near, and m, n and k multiplied stay finite doubles.
    const uint64_t max = (uint64_t)1 << 40;
    return read_integer(text, 'x', max, &row->m, &text) &&
           read_integer(text, 'x', max, &row->n, &text) &&
           read_integer(text, 0, max, &row->k, NULL) && row->m && row->n && row->k;
}

// "\t", "\n" and "\\" become what they mean, in place.
static bool unescape(char *text) {
    char *to = text;
    for (; *text; text++) {
        if (*text != '\\') {
            *to++ = *text;
            continue;
        }
        text++;
        if (*text != 't' && *text != 'n' && *text != '\\') return false;
        *to++ = *text == 't' ? '\t' : *text == 'n' ? '\n' : '\\';
    }
    *to = 0;
    return true;
}

static bool read_crc(const char *text, uint32_t *ret) {
    *ret = 0;
    for (int i = 0; i < CRC_DIGITS; i++) {
        const char c = text[i];
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) return false;
        *ret = *ret << 4 | (uint32_t)digit;
    }
    return true;
}

// Takes the checksum off the line's end. NULL, or what is wrong.
static const char *check_line(char *line, size_t *length) {
    if (*length >= QUERNEL_I_ROW_MAX) return "the line is too long";
    for (size_t i = 0; i < *length; i++)
        if ((unsigned char)line[i] < ' ' && line[i] != '\t') return "a byte that is no text";
    if (*length < sizeof tag + CRC_DIGITS || memcmp(line, tag, sizeof tag - 1) ||
        line[sizeof tag - 1] != '\t')
        return "it does not begin with qtn1";
    uint32_t crc;
    const size_t bytes = *length - CRC_DIGITS - 1;
    if (line[bytes] != '\t' || !read_crc(line + bytes + 1, &crc)) return "no checksum at its end";
    if (crc != quernel_i_crc32c(0, line, bytes)) return "the checksum is wrong";
    *length = bytes;
    line[bytes] = 0;
    return NULL;
}

// Splits the line into its fields; what follows the last known one stays in one piece.
static bool split(char *line, char **fields, char **ret_extra) {
    for (int i = 0; i < FIELDS; i++) {
        fields[i] = line;
        char *end = strchr(line, '\t');
        if (!end && i + 1 < FIELDS) return false;
        *ret_extra = end ? end + 1 : line + strlen(line);
        if (end) *end = 0;
        line = *ret_extra;
        if (!unescape(fields[i])) return false;
    }
    return true;
}

static bool read_times(char **f, quernel_i_row *row) {
    return read_decimal(f[BASE_NS], &row->base_ns) && read_decimal(f[BEST_NS], &row->best_ns);
}

static bool read_interval(char **f, quernel_i_row *row) {
    return read_decimal(f[RATIO], &row->ratio) && read_decimal(f[LO], &row->lo) &&
           read_decimal(f[HI], &row->hi) && row->lo <= row->ratio && row->ratio <= row->hi;
}

// Fills in what is not text. NULL, or what is wrong.
static const char *read_values(char **f, quernel_i_row *row) {
    if (!read_product(f[PRODUCT], row)) return "product: must be MxNxK";
    if (!read_u32(f[KREV], &row->krev)) return "krev: must be a number";
    if (!read_times(f, row)) return "base_ns, best_ns: must be decimal numbers";
    if (!read_interval(f, row)) return "ratio, lo, hi: must be decimal numbers in order";
    if (!read_u32(f[ROUNDS], &row->rounds)) return "rounds: must be a number";
    if (!parse_word(f[VERDICT], verdicts, VERDICTS, &row->verdict))
        return "verdict: must be default, tie or win";
    if (!parse_word(f[EFFORT], efforts, EFFORTS, &row->effort))
        return "effort: must be estimate, measure, patient or exhaustive";
    return read_integer(f[SEED], 0, UINT64_MAX, &row->seed, NULL) ? NULL : "seed: must be a number";
}

const char *quernel_i_row_parse(char *line, size_t length, quernel_i_row *row) {
    char *f[FIELDS], *extra;
    const char *wrong = check_line(line, &length);
    if (wrong) return wrong;
    if (!split(line, f, &extra)) return "fields are missing or wrongly escaped";
    *row = (quernel_i_row){.op = f[OP],
                           .shape = f[SHAPE],
                           .env = f[ENV],
                           .config = f[CONFIG],
                           .version = f[VERSION],
                           .date = f[DATE],
                           .machine = f[MACHINE],
                           .rates = f[RATES],
                           .lost = f[LOST],
                           .extra = extra};
    return read_values(f, row);
}

// A line under way; `used` counts what does not fit, too.
typedef struct printer {
    char *text;
    size_t used, capacity;
} printer;

static void put(printer *p, char c) {
    if (p->used < p->capacity) p->text[p->used] = c;
    p->used++;
}

static void put_field(printer *p, const char *text) {
    for (; *text; text++) {
        const char c = *text;
        if (c == '\t' || c == '\n' || c == '\\')
            put(p, '\\'), put(p, c == '\t' ? 't' : c == '\n' ? 'n' : c);
        else put(p, c);
    }
    put(p, '\t');
}

__attribute__((format(printf, 2, 3))) static void put_format(printer *p, const char *format, ...) {
    char field[96]; // room for three 64-bit integers, the longest
    va_list list;
    va_start(list, format);
    vsnprintf(field, sizeof field, format, list);
    va_end(list);
    put_field(p, field);
}

static void put_fields(printer *p, const quernel_i_row *r) {
    put_field(p, tag), put_field(p, r->op), put_field(p, r->shape);
    put_format(p, "%llux%llux%llu", (unsigned long long)r->m, (unsigned long long)r->n,
               (unsigned long long)r->k);
    put_field(p, r->env), put_field(p, r->config);
    put_format(p, "%u", r->krev);
    put_format(p, "%.0f", r->base_ns), put_format(p, "%.0f", r->best_ns);
    put_format(p, "%.4f", r->ratio), put_format(p, "%.4f", r->lo), put_format(p, "%.4f", r->hi);
    put_format(p, "%u", r->rounds);
    put_field(p, quernel_i_row_verdict_name(r->verdict));
    put_field(p, quernel_i_row_effort_name(r->effort));
    put_format(p, "%llu", (unsigned long long)r->seed);
    put_field(p, r->version), put_field(p, r->date), put_field(p, r->machine);
    put_field(p, r->rates), put_field(p, r->lost);
}

size_t quernel_i_row_print(const quernel_i_row *r, char *text, size_t capacity) {
    printer p = {text, 0, capacity};
    put(&p, '\n');
    put_fields(&p, r);
    for (const char *at = r->extra; *at; at++) put(&p, *at); // escaped as it was read
    if (*r->extra) put(&p, '\t');
    if (p.used + CRC_DIGITS + 2 > capacity || p.used + CRC_DIGITS >= QUERNEL_I_ROW_MAX) return 0;
    // Of the line without its newline and the tab before the checksum.
    const uint32_t crc = quernel_i_crc32c(0, text + 1, p.used - 2);
    snprintf(text + p.used, capacity - p.used, "%08x\n", crc);
    return p.used + CRC_DIGITS + 1;
}
