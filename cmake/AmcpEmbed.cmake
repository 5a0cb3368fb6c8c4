# Turns a file into a C array: cmake -DIN=file -DOUT=file.c -DNAME=symbol -P AmcpEmbed.cmake
# defines `const unsigned char symbol[]` and `const size_t symbol_size`.
file(READ ${IN} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "(................................)" "\\1\n" lines "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${lines}")
get_filename_component(from ${IN} NAME)
file(WRITE ${OUT} "/* Made from ${from}. */
#include <stddef.h>

extern const unsigned char ${NAME}[];
extern const size_t ${NAME}_size;
const unsigned char ${NAME}[] = {
${bytes}
};
const size_t ${NAME}_size = ${size};
")
