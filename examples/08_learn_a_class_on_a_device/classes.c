/* Classes learned on the device from a few photographs each, by the edge runtime alone.
 *
 *   classes MODEL.peb STATE.pec learn NAME PHOTO.ppm...
 *   classes MODEL.peb STATE.pec which PHOTO.ppm...
 *
 * MODEL.peb comes from `perennial edge export --weights mobilenet_v1_025_imagenet.safetensors -o MODEL.peb`. */
#include <string.h>

#include "edge/perennial_edge.h"
#include "examples/ppm.h"

/* The features of a photograph, or NULL. */
static const float* features_of(pe_model* model, int32_t output, const char* path) {
  int width = 0, height = 0;
  unsigned char* pixels = read_ppm(path, &width, &height);
  const int ran = pixels != NULL &&
                  pe_set_image(model, 0, pixels, width, height, 3 * (size_t)width, 3) == 0 && pe_run(model) == 0;
  free(pixels);
  if (!ran) fprintf(stderr, "classes: cannot use %s %s\n", path, pe_error());
  return ran ? pe_output(model, output) : NULL;
}

int main(int count, char** words) {
  const int learns = count >= 6 && strcmp(words[3], "learn") == 0;
  int failed = 0;
  if (!learns && (count < 5 || strcmp(words[3], "which") != 0)) {
    fprintf(stderr, "usage: classes MODEL.peb STATE.pec learn NAME PHOTO.ppm... | which PHOTO.ppm...\n");
    return 2;
  }
  pe_model* model = pe_open(words[1]);
  const int32_t output = model == NULL ? -1 : pe_find_output(model, "features");
  pe_classes* classes = output < 0 ? NULL : pe_classes_open(words[2], model, output, 1 << 20);
  for (int i = learns ? 5 : 4; classes != NULL && !failed && i < count; ++i) {
    const float* features = features_of(model, output, words[i]);
    const int32_t best = features == NULL || learns ? -1 : pe_classes_predict(classes, features, NULL);
    failed = features == NULL || (learns ? pe_classes_learn(classes, words[4], features) != 0 : best < 0);
    if (best >= 0) printf("%s: %s\n", words[i], pe_classes_name(classes, best));
  }
  if (classes != NULL && !failed && learns) failed = pe_classes_save(classes);
  if (classes == NULL || failed) fprintf(stderr, "classes: %s\n", pe_error());
  failed = classes == NULL || failed;
  pe_classes_close(classes);
  pe_close(model);
  return failed;
}
