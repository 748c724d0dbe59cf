// SPDX-License-Identifier: Apache-2.0
// Which islands are taken.
#ifndef QUERNEL_TESTS_COMPILER_PRICES_H
#define QUERNEL_TESTS_COMPILER_PRICES_H

void test_prices(void);

#endif
