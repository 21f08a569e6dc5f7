return {
  teaches = "A bucket still has objects when its stack is deleted: empty it, retain it, or force the deletion.",
  seed = 25,
  resources = {
    { resource = "AWS::S3::Bucket", on = "delete", times = 2, fail = "Resource handler returned message: \"The bucket "
      .. "you tried to delete is not empty. You must delete all versions in the bucket. (Service: S3, Status Code: 409)"
      .. "\" (HandlerErrorCode: GeneralServiceException)" },
  },
}
