/* The Perennial edge runtime: trained networks on a device, without libtorch. C99; no C++ exception crosses
 * it.
 *
 * A model is a .peb file (`perennial segment export` writes them). Handles are independent of each other: use
 * each from one thread at a time. A run allocates nothing.
 *
 *   pe_model* m = pe_open("sinet.peb");
 *   pe_set_image(m, 0, rgb, width, height, 3 * width, 3);
 *   pe_run(m);
 *   pe_read_matte(m, 0, alpha, width, height, width);
 *   pe_close(m);
 *
 * Functions that give an int give 0 when done and -1 when not; those that give a pointer give NULL.
 * pe_error() then says why. */
#ifndef PERENNIAL_EDGE_H_
#define PERENNIAL_EDGE_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PE_API __attribute__((visibility("default")))
#else
#define PE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pe_model pe_model;

/* An input or output: float planes [channels][height][width]. `name` lives as long as the model. */
typedef struct pe_port {
  const char* name;
  int32_t channels, height, width;
  int32_t is_image; /* 1: pe_set_image() knows how this input wants its pixels */
} pe_port;

/* "0.1.0". */
PE_API const char* pe_version(void);
/* Why the last call of this thread failed: one line that says what was expected and what was found; "" at
 * first. */
PE_API const char* pe_error(void);

/* Maps the file. */
PE_API pe_model* pe_open(const char* path);
/* Refers to `bytes`, aligned to 8, until pe_close(). */
PE_API pe_model* pe_open_memory(const void* bytes, size_t size);
PE_API void pe_close(pe_model* model);

PE_API int32_t pe_inputs(const pe_model* model);
PE_API int32_t pe_outputs(const pe_model* model);
PE_API int pe_describe_input(const pe_model* model, int32_t index, pe_port* port);
PE_API int pe_describe_output(const pe_model* model, int32_t index, pe_port* port);

/* The planes of an input, to be filled before every run: a run may use their memory for other things. */
PE_API float* pe_input(pe_model* model, int32_t index);
/* The planes of an output after a run. */
PE_API const float* pe_output(const pe_model* model, int32_t index);
PE_API int pe_run(pe_model* model);
/* How many threads a run uses, 1 (at first) to 64; the others belong to this handle and sleep between runs.
 * The outputs are the same, to the bit. */
PE_API int pe_set_threads(pe_model* model, int32_t threads);

/* Fills an image input from pixels of 8 bits, red green blue (pixel_bytes 3) or with a fourth byte that is
 * ignored (4), `row_bytes` from row to row: resized (antialiased bilinear, aspect not kept) and normalised as
 * the model was trained. */
PE_API int pe_set_image(pe_model* model, int32_t index, const uint8_t* pixels, int32_t width, int32_t height,
                        size_t row_bytes, int32_t pixel_bytes);
/* The probability of the last class of an output of class scores, as 0..255, resized to width x height
 * (bilinear). */
PE_API int pe_read_matte(pe_model* model, int32_t index, uint8_t* alpha, int32_t width, int32_t height,
                         size_t row_bytes);

/* The same, with the matte's edges drawn along those of the photograph (guided filter, He et al. 2010): the
 * pixels that were given to pe_set_image(), of the size that alpha gets. */
PE_API int pe_read_matte_refined(pe_model* model, int32_t index, const uint8_t* pixels, int32_t width,
                                 int32_t height, size_t pixel_row_bytes, int32_t pixel_bytes, uint8_t* alpha,
                                 size_t row_bytes);

/* Bytes that the handle holds beside the model file. */
PE_API size_t pe_memory_bytes(const pe_model* model);

#ifdef __cplusplus
}
#endif
#endif
