/* Photographs for the examples in C. */
#ifndef PERENNIAL_EXAMPLES_PPM_H_
#define PERENNIAL_EXAMPLES_PPM_H_

#include <stdio.h>
#include <stdlib.h>

/* Pixels red green blue of a binary PPM (`ffmpeg -i photo.jpg photo.ppm`), to be freed; NULL when it is none.
 */
static unsigned char* read_ppm(const char* path, int* width, int* height) {
  unsigned char* pixels = NULL;
  FILE* file = fopen(path, "rb");
  int most = 0;
  if (file == NULL) return NULL;
  if (fscanf(file, "P6 %d %d %d", width, height, &most) == 3 && most == 255 && *width > 0 && *height > 0 &&
      *width <= 16384 && *height <= 16384 && fgetc(file) != EOF) {
    const size_t size = (size_t)3 * (size_t)*width * (size_t)*height;
    pixels = malloc(size);
    if (pixels != NULL && fread(pixels, 1, size, file) != size) {
      free(pixels);
      pixels = NULL;
    }
  }
  fclose(file);
  return pixels;
}

#endif
