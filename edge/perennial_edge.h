/* The Perennial edge runtime: trained networks on a device, without libtorch. C99; no C++ exception crosses
 * it.
 *
 * A model is a .peb file (`perennial segment export` and `perennial edge export` write them). Handles are
 * independent of each other: use each from one thread at a time. A run allocates nothing.
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

/* Reads the file into memory: what becomes of it afterwards does not matter. A pipe or a device is refused.
 */
PE_API pe_model* pe_open(const char* path);
/* The same for a handle that never holds more than `most_bytes` of memory (0: 1 GiB, as for pe_open),
 * whatever the file asks for: it is refused before more is taken. */
PE_API pe_model* pe_open_within(const char* path, size_t most_bytes);
/* The same, with the weights where they lie in the file: its pages are shared with other processes, and do
 * not count. All else is copied and checked, so that a file that changes while it is open changes weights and
 * nothing worse; but one that is cut off ends the process (SIGBUS). Replace such a file by renaming another
 * into its place. */
PE_API pe_model* pe_open_mapped(const char* path, size_t most_bytes);
/* Refers to the weights in `bytes`, aligned to 8, until pe_close(); all else is copied. */
PE_API pe_model* pe_open_memory(const void* bytes, size_t size);
/* The same within a limit, which `bytes` do not count in. */
PE_API pe_model* pe_open_memory_within(const void* bytes, size_t size, size_t most_bytes);
PE_API void pe_close(pe_model* model);

PE_API int32_t pe_inputs(const pe_model* model);
PE_API int32_t pe_outputs(const pe_model* model);
PE_API int pe_describe_input(const pe_model* model, int32_t index, pe_port* port);
PE_API int pe_describe_output(const pe_model* model, int32_t index, pe_port* port);
/* The output of that name, or -1. */
PE_API int32_t pe_find_output(const pe_model* model, const char* name);

/* Classes that the model was trained with. `perennial edge export RUN` writes their names; an older file may
 * have none.
 *
 *   int32_t o = pe_find_output(m, "logits");
 *   pe_read_probabilities(m, o, p, pe_labels(m, o));          after pe_set_image() and pe_run()
 *   printf("%s %.3f\n", pe_label(m, o, 0), p[0]); */

/* Whether an output is known to be logits, so that pe_read_probabilities() makes sense of it: 1 or 0; 0 for
 * all outputs of a file without labels. -1: no such output. */
PE_API int32_t pe_is_logits(const pe_model* model, int32_t output);
/* How many labels an output has: one for each channel, or none. -1: no such output. */
PE_API int32_t pe_labels(const pe_model* model, int32_t output);
/* Label `index` of an output: the name of that class, UTF-8 where the trained classes' names were. Lives as
 * long as the model. */
PE_API const char* pe_label(const pe_model* model, int32_t output, int32_t index);
/* The softmax of an output of one pixel, as it is after the last run: how probable each class is. `count`:
 * the output's channels, for which there is room. */
PE_API int pe_read_probabilities(const pe_model* model, int32_t output, float* probabilities, size_t count);

/* Inputs and outputs. Every run takes all inputs and leaves none: before each, each input is written once
 * more, whole, by pe_set_image(), by pe_set_input(), or through the pointer that pe_input() gave at any time.
 * A run for which one has not been written is an error, and leaves the outputs alone. (A run leaves a NaN of
 * its own at the beginning of each input; an input that begins with it has not been written.) Outputs stay as
 * they are until the next pe_run(), also while inputs are written.
 *
 * Calls that end in _n say how much lies at a pointer, and are refused when that is not enough, or for
 * features, not their number; prefer them. */

/* The planes of an input, until pe_close(). */
PE_API float* pe_input(pe_model* model, int32_t index);
/* Copies the planes of an input from `planes`, which has `count` numbers: as many as the input. */
PE_API int pe_set_input(pe_model* model, int32_t index, const float* planes, size_t count);
/* The planes of an output, until pe_close(); zeros before the first run. */
PE_API const float* pe_output(const pe_model* model, int32_t index);
/* Copies the planes of an output into `planes`, which has `count` numbers: as many as the output. */
PE_API int pe_get_output(const pe_model* model, int32_t index, float* planes, size_t count);
PE_API int pe_run(pe_model* model);
/* How many threads a run uses, 1 (at first) to 64; the others belong to this handle and sleep between runs.
 * The outputs are the same, to the bit. */
PE_API int pe_set_threads(pe_model* model, int32_t threads);

/* Fills an image input from pixels of 8 bits, red green blue (pixel_bytes 3) or with a fourth byte that is
 * ignored (4), `row_bytes` from row to row: resized (antialiased bilinear) and normalised as the model was
 * trained: the whole image, whatever its aspect, or, where training cut them so, the square in its middle. */
PE_API int pe_set_image(pe_model* model, int32_t index, const uint8_t* pixels, int32_t width, int32_t height,
                        size_t row_bytes, int32_t pixel_bytes);
PE_API int pe_set_image_n(pe_model* model, int32_t index, const uint8_t* pixels, size_t bytes, int32_t width,
                          int32_t height, size_t row_bytes, int32_t pixel_bytes);
/* The probability of the last class of an output of class scores, as 0..255, resized to width x height
 * (bilinear). */
PE_API int pe_read_matte(pe_model* model, int32_t index, uint8_t* alpha, int32_t width, int32_t height,
                         size_t row_bytes);
PE_API int pe_read_matte_n(pe_model* model, int32_t index, uint8_t* alpha, size_t bytes, int32_t width,
                           int32_t height, size_t row_bytes);

/* The same, with the matte's edges drawn along those of the photograph (guided filter, He et al. 2010): the
 * pixels that were given to pe_set_image(), of the size that alpha gets. */
PE_API int pe_read_matte_refined(pe_model* model, int32_t index, const uint8_t* pixels, int32_t width,
                                 int32_t height, size_t pixel_row_bytes, int32_t pixel_bytes, uint8_t* alpha,
                                 size_t row_bytes);
PE_API int pe_read_matte_refined_n(pe_model* model, int32_t index, const uint8_t* pixels, size_t pixels_bytes,
                                   int32_t width, int32_t height, size_t pixel_row_bytes, int32_t pixel_bytes,
                                   uint8_t* alpha, size_t alpha_bytes, size_t row_bytes);

/* All memory that the handle holds: the file that was read, weights made ready, tables, planes, and what
 * images and mattes of the sizes so far took. Not in it: a mapped file, and the stacks of threads. */
PE_API size_t pe_memory_bytes(const pe_model* model);

/* Classes learned on the device from a few examples each. An example is what a model gives for it at one of
 * its outputs (MobileNet's "features"); a class is the mean direction of its examples, and the class nearest
 * by angle is predicted. Nothing is trained: to learn an example is to add it.
 *
 *   pe_classes* c = pe_classes_open("mugs.pec", m, pe_find_output(m, "features"), 0);
 *   pe_classes_learn(c, "my mug", pe_output(m, 1));                 after pe_set_image() and pe_run()
 *   pe_classes_save(c);
 *   best = pe_classes_predict(c, pe_output(m, 1), NULL);            its name: pe_classes_name(c, best) */
typedef struct pe_classes pe_classes;

/* The classes saved at `path`, or none when there is no file yet. They belong to the model file and the
 * output that they were learned with; another's are refused. Never more than `most_bytes` are held (0: 16
 * MiB). The model may be closed afterwards. */
PE_API pe_classes* pe_classes_open(const char* path, const pe_model* model, int32_t output,
                                   size_t most_bytes);
PE_API void pe_classes_close(pe_classes* classes);
/* One more example of a class, which is begun when it is new. `features` is the whole output. */
PE_API int pe_classes_learn(pe_classes* classes, const char* name, const float* features);
PE_API int pe_classes_learn_n(pe_classes* classes, const char* name, const float* features, size_t count);
/* Fails when there is no such class. Those behind it move up by one. */
PE_API int pe_classes_forget(pe_classes* classes, const char* name);
/* The nearest class, or -1; `similarities`, unless NULL, is given the cosine to each class, -1..1. */
PE_API int32_t pe_classes_predict(const pe_classes* classes, const float* features, float* similarities);
/* `similarities` has room for `most`: all classes. */
PE_API int32_t pe_classes_predict_n(const pe_classes* classes, const float* features, size_t count,
                                    float* similarities, size_t most);
PE_API int32_t pe_classes_count(const pe_classes* classes);
/* Lives until the classes change. */
PE_API const char* pe_classes_name(const pe_classes* classes, int32_t index);
PE_API int64_t pe_classes_examples(const pe_classes* classes, int32_t index);
/* Of the saved file, and about that many in memory. */
PE_API size_t pe_classes_bytes(const pe_classes* classes);
/* Writes beside the file and renames: after a power cut there is the old file or the new one. */
PE_API int pe_classes_save(const pe_classes* classes);

#ifdef __cplusplus
}
#endif
#endif
