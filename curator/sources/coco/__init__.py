"""Pictures with annotations in the JSON of COCO."""
