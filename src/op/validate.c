// SPDX-License-Identifier: Apache-2.0
// Checks of everything numeric that any operator's descriptor says.
#include "op/validate.h"

#include "base/error.h"

// A scale in this range, alone or times a factor, has a reciprocal that is a normal float.
#define MIN_SCALE 0x1p-96f
#define MAX_SCALE 0x1p96f

int quernel_i_validate_refuse(quernel_error *error, const char *where, const char *argument,
                              const char *why) {
    return quernel_i_error_set(error, QUERNEL_E_VALUE, argument, -1, "%s: %s: %s", where, argument,
                               why);
}

int quernel_i_validate_zero(quernel_error *error, const char *where, const char *argument,
                            int32_t zero, int32_t type, int32_t narrow) {
    const int32_t lo = type == QUERNEL_TYPE_U8 ? 0 : narrow ? -127 : -128;
    return quernel_i_check_range(error, QUERNEL_E_VALUE, where, argument, zero, lo,
                                 type == QUERNEL_TYPE_U8 ? 255 : 127);
}

bool quernel_i_validate_scale_fits(float scale) { return scale >= MIN_SCALE && scale <= MAX_SCALE; }

int quernel_i_validate_scale(quernel_error *error, const char *where, const char *argument,
                             float scale) {
    if (quernel_i_validate_scale_fits(scale)) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_VALUE, argument, -1,
                               "%s: %s: %g: must be 2^-96 to 2^96", where, argument, (double)scale);
}

int quernel_i_validate_activation(const quernel_epilogue *f, const char *where, uint32_t channels,
                                  quernel_error *error) {
    const int code = quernel_i_check_range(error, QUERNEL_E_VALUE, where, "epilogue.activation",
                                           f->activation, 0, QUERNEL_ACTIVATION_TANH);
    if (code) return code;
    if (f->y_type == QUERNEL_TYPE_S32 && f->activation)
        return quernel_i_validate_refuse(error, where, "epilogue.activation",
                                         "s32 output takes none");
    if (f->activation == QUERNEL_ACTIVATION_CLAMP && !(f->lo <= f->hi))
        return quernel_i_validate_refuse(error, where, "epilogue.lo",
                                         "must be no greater than epilogue.hi, and neither NaN");
    if (f->activation == QUERNEL_ACTIVATION_LEAKY)
        return quernel_i_check_float(error, where, "epilogue.slope", f->slope, 0);
    if (f->activation != QUERNEL_ACTIVATION_PRELU) return QUERNEL_OK;
    if (!f->slopes) return quernel_i_error_null(error, where, "epilogue.slopes");
    return quernel_i_check_floats(error, where, "epilogue.slopes", f->slopes, channels, 0);
}

int quernel_i_validate_output(const quernel_epilogue *f, const char *where, uint32_t channels,
                              quernel_error *error) {
    int code = quernel_i_check_range(error, QUERNEL_E_VALUE, where, "epilogue.y_type", f->y_type, 0,
                                     QUERNEL_TYPE_U8);
    if (code || !quernel_i_validate_int8(f->y_type)) return code;
    if ((code = quernel_i_validate_scale(error, where, "epilogue.y_scale", f->y_scale)))
        return code;
    for (uint32_t n = 0; f->y_smooth && n < channels; n++) {
        const float product = f->y_scale * f->y_smooth[n];
        if (!(f->y_smooth[n] > 0.0f) || !quernel_i_validate_scale_fits(product))
            return quernel_i_error_set(
                error, QUERNEL_E_VALUE, "epilogue.y_smooth", n,
                "%s: epilogue.y_smooth[%u]: %g: times y_scale must be 2^-96 to 2^96", where, n,
                (double)f->y_smooth[n]);
    }
    return quernel_i_validate_zero(error, where, "epilogue.y_zero", f->y_zero, f->y_type,
                                   f->y_narrow);
}
