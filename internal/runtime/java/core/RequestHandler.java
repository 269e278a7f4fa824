package com.amazonaws.services.lambda.runtime;

/** A handler of events that are made into objects, and its answer out of one. */
public interface RequestHandler<I, O> {
  O handleRequest(I input, Context context);
}
