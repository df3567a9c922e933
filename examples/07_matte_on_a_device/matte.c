/* A portrait's matte by the edge runtime alone: no libtorch, no C++ in sight.
 *
 *   matte MODEL.peb PHOTO.ppm MATTE.pgm          (PPM as `ffmpeg -i photo.jpg photo.ppm` writes it)
 *
 * MODEL.peb comes from `perennial segment export --weights sinet_portrait.safetensors -o MODEL.peb`. */
#include <stdio.h>
#include <stdlib.h>

#include "edge/perennial_edge.h"
#include "examples/ppm.h"

int main(int count, char** words) {
  int width = 0, height = 0, status = 1;
  if (count != 4) {
    fprintf(stderr, "usage: matte MODEL.peb PHOTO.ppm MATTE.pgm\n");
    return 2;
  }
  pe_model* model = pe_open(words[1]);
  unsigned char* pixels = read_ppm(words[2], &width, &height);
  unsigned char* alpha = pixels == NULL ? NULL : malloc((size_t)width * (size_t)height);
  FILE* out = alpha == NULL ? NULL : fopen(words[3], "wb");
  if (model == NULL)
    fprintf(stderr, "matte: %s\n", pe_error());
  else if (out == NULL)
    fprintf(stderr, "matte: cannot read %s or write %s\n", words[2], words[3]);
  else if (pe_set_image(model, 0, pixels, width, height, 3 * (size_t)width, 3) != 0 || pe_run(model) != 0 ||
           pe_read_matte(model, 0, alpha, width, height, (size_t)width) != 0)
    fprintf(stderr, "matte: %s\n", pe_error());
  else if (fprintf(out, "P5 %d %d 255\n", width, height) > 0 &&
           fwrite(alpha, 1, (size_t)width * (size_t)height, out) == (size_t)width * (size_t)height)
    status = 0;
  if (out != NULL && fclose(out) != 0) status = 1;
  free(alpha);
  free(pixels);
  pe_close(model);
  return status;
}
